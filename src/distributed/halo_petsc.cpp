// Implements petsc_halo() of distributed/halo.hpp.
#ifdef PARSIMONY_PETSC
#include <fmt/format.h>
#include <petscsf.h>

#include <limits>
#include <span>
#include <vector>

#include "distributed/halo.hpp"
#include "distributed/row_types.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::distributed {
namespace {

void check_petsc(PetscErrorCode code) {
  if (code != 0)
    throw Error(ErrorCode::internal, fmt::format("PETSc reports error {}", static_cast<int>(code)));
}

class PetscHalo : public Halo {
 public:
  PetscHalo(const Partition& partition, std::span<const std::int32_t> ghosts,
            const Communicator& communicator)
      : communicator_(communicator.comm()), own_(partition.own()) {
    check_petsc(PetscSFCreate(communicator.comm(), &forest_));
    std::vector<PetscSFNode> roots(ghosts.size());
    for (std::size_t g = 0; g < ghosts.size(); ++g) {
      const int owner = partition.owner(ghosts[g]);
      roots[g] = {static_cast<PetscInt>(owner), static_cast<PetscInt>(ghosts[g] - partition.begins[owner])};
    }
    check_petsc(PetscSFSetGraph(forest_, static_cast<PetscInt>(own_), static_cast<PetscInt>(roots.size()),
                                nullptr, PETSC_COPY_VALUES, roots.data(), PETSC_COPY_VALUES));
    check_petsc(PetscSFSetUp(forest_));
  }
  ~PetscHalo() override { PetscSFDestroy(&forest_); }

  void begin(float* panel, std::int64_t width) override {
    check_petsc(PetscSFBcastBegin(forest_, types_.of(width), panel, panel + own_ * width, MPI_REPLACE));
  }
  void finish(float* panel, std::int64_t width) override {
    // PETSc waits in MPI, which keeps the core busy: sleep until all processes have sent their rows.
    MPI_Request all_here = MPI_REQUEST_NULL;
    MPI_Ibarrier(communicator_, &all_here);
    wait_for(all_here);
    check_petsc(PetscSFBcastEnd(forest_, types_.of(width), panel, panel + own_ * width, MPI_REPLACE));
  }
  void copy(std::int32_t* values) override {
    check_petsc(PetscSFBcastBegin(forest_, MPI_INT, values, values + own_, MPI_REPLACE));
    check_petsc(PetscSFBcastEnd(forest_, MPI_INT, values, values + own_, MPI_REPLACE));
  }

 private:
  MPI_Comm communicator_;
  std::int64_t own_;
  PetscSF forest_ = nullptr;
  RowTypes types_;
};

}  // namespace

std::unique_ptr<Halo> petsc_halo(const Partition& partition, std::span<const std::int32_t> ghosts,
                                 const Communicator& communicator) {
  return std::make_unique<PetscHalo>(partition, ghosts, communicator);
}

}  // namespace parsimony::distributed
#endif
