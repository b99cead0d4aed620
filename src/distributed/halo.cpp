// The halo by neighbourhood collectives of MPI, and the choice between the kinds.
#include "distributed/halo.hpp"

#include <vector>

#include "distributed/row_types.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::distributed {
namespace {

// Owned rows that others read are packed in the order of the receivers; ghosts arrive in their places,
// because they ascend, and so the owners do.
class MpiHalo : public Halo {
 public:
  MpiHalo(const Partition& partition, std::span<const std::int32_t> ghosts, const Communicator& communicator)
      : own_(partition.own()) {
    std::vector<std::vector<std::int32_t>> wanted(communicator.count());
    for (const std::int32_t ghost : ghosts) wanted[partition.owner(ghost)].push_back(ghost);
    std::vector<int> sources, targets;
    for (int p = 0; p < communicator.count(); ++p) {
      if (wanted[p].empty()) continue;
      sources.push_back(p);
      received_.add(std::ssize(wanted[p]));
    }
    const auto asked = communicator.exchange(std::move(wanted));
    for (int p = 0; p < communicator.count(); ++p) {
      if (asked[p].empty()) continue;
      targets.push_back(p);
      sent_.add(std::ssize(asked[p]));
      for (const std::int32_t row : asked[p])
        packed_.push_back(row - static_cast<std::int32_t>(partition.begin()));
    }
    MPI_Dist_graph_create_adjacent(communicator.comm(), static_cast<int>(sources.size()), sources.data(),
                                   MPI_UNWEIGHTED, static_cast<int>(targets.size()), targets.data(),
                                   MPI_UNWEIGHTED, MPI_INFO_NULL, 0, &neighbors_);
  }
  ~MpiHalo() override { MPI_Comm_free(&neighbors_); }

  void begin(float* panel, std::int64_t width) override {
    buffer_.resize(packed_.size() * width);
    pack(panel, buffer_.data(), width);
    MPI_Ineighbor_alltoallv(buffer_.data(), sent_.counts.data(), sent_.places.data(), types_.of(width),
                            panel + own_ * width, received_.counts.data(), received_.places.data(),
                            types_.of(width), neighbors_, &request_);
  }
  void finish(float*, std::int64_t) override { wait_for(request_); }
  void copy(std::int32_t* values) override {
    std::vector<std::int32_t> buffer(packed_.size());
    pack(values, buffer.data(), 1);
    MPI_Neighbor_alltoallv(buffer.data(), sent_.counts.data(), sent_.places.data(), MPI_INT, values + own_,
                           received_.counts.data(), received_.places.data(), MPI_INT, neighbors_);
  }

 private:
  struct Messages {
    std::vector<int> counts, places;
    void add(std::int64_t rows) {
      places.push_back(counts.empty() ? 0 : places.back() + counts.back());
      counts.push_back(static_cast<int>(rows));
    }
  };

  template <class T>
  void pack(const T* from, T* to, std::int64_t width) const {
    for (const std::int32_t row : packed_) to = std::copy_n(from + row * width, width, to);
  }

  std::int64_t own_;
  std::vector<std::int32_t> packed_;
  Messages sent_, received_;
  std::vector<float> buffer_;
  RowTypes types_;
  MPI_Comm neighbors_ = MPI_COMM_NULL;
  MPI_Request request_ = MPI_REQUEST_NULL;
};

}  // namespace

std::unique_ptr<Halo> mpi_halo(const Partition& partition, std::span<const std::int32_t> ghosts,
                               const Communicator& communicator) {
  return std::make_unique<MpiHalo>(partition, ghosts, communicator);
}

#ifdef PARSIMONY_PETSC
static constexpr HaloKind kHalos[] = {HaloKind::petsc, HaloKind::mpi};
#else
static constexpr HaloKind kHalos[] = {HaloKind::mpi};
#endif

std::span<const HaloKind> halo_kinds() {
  return kHalos;
}

std::unique_ptr<Halo> make_halo(HaloKind kind, const Partition& partition,
                                std::span<const std::int32_t> ghosts, const Communicator& communicator) {
  if (kind == HaloKind::mpi) return mpi_halo(partition, ghosts, communicator);
#ifdef PARSIMONY_PETSC
  return petsc_halo(partition, ghosts, communicator);
#else
  throw Error(ErrorCode::unsupported,
              "halo: this build has no PETSc; it was configured with PARSIMONY_HALO=mpi");
#endif
}

}  // namespace parsimony::distributed
