// The processes of an MPI communicator.
#pragma once

#include <mpi.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "parsimony/core/processes.hpp"

namespace parsimony::distributed {

/// Waits until all requests are complete. MPI's own wait keeps the core busy. This one sleeps in between
/// after a tenth of a millisecond, for at most an eighth of the time waited so far, so that the core is free
/// for other work.
void wait_for(std::span<MPI_Request> requests);
inline void wait_for(MPI_Request& request) {
  wait_for(std::span(&request, 1));
  // Returns at once: clang-tidy looks for it, although it does not know all calls that start a request.
  MPI_Wait(&request, MPI_STATUS_IGNORE);  // NOLINT(clang-analyzer-optin.mpi.MPI-Checker)
}

/// Counts of MPI are 32-bit: larger messages go in rounds.
class Communicator : public Processes {
 public:
  explicit Communicator(MPI_Comm comm);

  MPI_Comm comm() const { return comm_; }
  int rank() const override { return rank_; }
  int count() const override { return count_; }
  std::vector<std::byte> gather_bytes(std::span<const std::byte> own) const override;
  std::vector<std::byte> collect_bytes(std::span<const std::byte> own) const override;
  void broadcast_bytes(std::span<std::byte> bytes) const override;
  void sum(std::span<std::int64_t> values) const override;
  void sum(std::span<double> values) const override;

  /// Replaces each word by the bits that any process has set in it.
  void unite(std::span<std::uint64_t> words) const;
  std::int64_t sum_of(std::int64_t value) const;
  std::int64_t most_of(std::int64_t value) const;
  /// Sum of the values of the processes before this one.
  std::int64_t before(std::int64_t value) const;
  bool any(bool value) const { return most_of(value) > 0; }

  /// send: the values for each process; returns those from each process. Collective.
  template <class T>
  std::vector<std::vector<T>> exchange(std::vector<std::vector<T>> send) const {
    static_assert(std::is_trivially_copyable_v<T>);
    std::vector<std::vector<T>> out(count_);
    out[rank_] = std::move(send[rank_]);
    send[rank_].clear();
    std::vector<std::span<const std::byte>> sent;
    std::vector<std::span<std::byte>> received;
    sent.reserve(count_);
    for (const auto& values : send) sent.push_back(std::as_bytes(std::span<const T>(values)));
    const std::vector<std::int64_t> sizes = sizes_from_all(sent);
    received.reserve(count_);
    for (int p = 0; p < count_; ++p) {
      if (p != rank_) out[p].resize(sizes[p] / sizeof(T));
      received.push_back(p == rank_ ? std::span<std::byte>() : std::as_writable_bytes(std::span<T>(out[p])));
    }
    exchange_bytes(sent, received);
    return out;
  }

  /// The bytes for each process, and those from each, whose numbers are known. Collective.
  void exchange_bytes(std::span<const std::span<const std::byte>> send,
                      std::span<const std::span<std::byte>> received) const;

 private:
  /// The bytes that each process sends to this one.
  std::vector<std::int64_t> sizes_from_all(std::span<const std::span<const std::byte>> send) const;
  std::vector<std::int64_t> sizes_of_all(std::size_t own) const;
  void broadcast_from(int root, std::span<std::byte> bytes) const;
  template <class T>
  void reduce(std::span<T> values, MPI_Datatype type, MPI_Op how) const;

  MPI_Comm comm_;
  int rank_ = 0, count_ = 1;
};

/// Some of the processes of a communicator: those that give the same color, in the order of their ranks.
/// Collective over all of them.
class PartOfProcesses {
 public:
  PartOfProcesses(const Communicator& all, int color);
  PartOfProcesses(const PartOfProcesses&) = delete;
  PartOfProcesses& operator=(const PartOfProcesses&) = delete;
  ~PartOfProcesses();

  const Communicator& communicator() const { return communicator_; }

 private:
  Communicator communicator_;
};

/// The communicator behind the processes of Machines. Throws internal for others.
const Communicator& communicator_of(const Processes& processes);

}  // namespace parsimony::distributed
