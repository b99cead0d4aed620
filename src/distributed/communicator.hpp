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

 private:
  /// The bytes that each process sends to this one.
  std::vector<std::int64_t> sizes_from_all(std::span<const std::span<const std::byte>> send) const;
  void exchange_bytes(std::span<const std::span<const std::byte>> send,
                      std::span<const std::span<std::byte>> received) const;
  std::vector<std::int64_t> sizes_of_all(std::size_t own) const;

  MPI_Comm comm_;
  int rank_ = 0, count_ = 1;
};

/// The communicator behind the processes of Machines. Throws internal for others.
const Communicator& communicator_of(const Processes& processes);

}  // namespace parsimony::distributed
