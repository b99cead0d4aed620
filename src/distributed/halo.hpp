// The exchange of rows between processes: the rows of others that a process reads are its ghosts.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "distributed/communicator.hpp"
#include "distributed/partition.hpp"

namespace parsimony::distributed {

/// Copies owned rows into the ghost rows of other processes. A panel has the owned rows first, and behind
/// them a row for each ghost. Between begin() and finish() the owned rows may be read, but not written, and
/// the ghost rows neither; no other exchange may be under way.
class Halo {
 public:
  Halo() = default;
  Halo(const Halo&) = delete;
  Halo& operator=(const Halo&) = delete;
  virtual ~Halo() = default;

  /// width: floats of a row.
  virtual void begin(float* panel, std::int64_t width) = 0;
  virtual void finish(float* panel, std::int64_t width) = 0;
  /// The same for one number per row, as a whole.
  virtual void copy(std::int32_t* values) = 0;
};

enum class HaloKind {
  petsc,  ///< PETSc's star forest, PetscSF
  mpi     ///< neighbourhood collectives of MPI
};

/// The kinds of this build, the preferred one first.
std::span<const HaloKind> halo_kinds();

/// ghosts: global rows of other processes, ascending. Collective. Throws unsupported for a kind that is not
/// part of this build.
std::unique_ptr<Halo> make_halo(HaloKind kind, const Partition& partition,
                                std::span<const std::int32_t> ghosts, const Communicator& communicator);

/// The two kinds; petsc_halo() exists where the build has PETSc.
std::unique_ptr<Halo> petsc_halo(const Partition& partition, std::span<const std::int32_t> ghosts,
                                 const Communicator& communicator);
std::unique_ptr<Halo> mpi_halo(const Partition& partition, std::span<const std::int32_t> ghosts,
                               const Communicator& communicator);

}  // namespace parsimony::distributed
