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

  std::int64_t sum_of(std::int64_t value) const;
  std::int64_t most_of(std::int64_t value) const;
  /// Sum of the values of the processes before this one.
  std::int64_t before(std::int64_t value) const;
  bool any(bool value) const { return most_of(value) > 0; }

  /// send: the values for each process; returns those from each process. Collective.
  template <class T>
  std::vector<std::vector<T>> exchange(std::vector<std::vector<T>> send) const {
    static_assert(std::is_trivially_copyable_v<T>);
    std::vector<std::vector<std::byte>> bytes(count_);
    std::vector<std::span<const std::byte>> views;
    views.reserve(send.size());
    for (const auto& values : send) views.push_back(std::as_bytes(std::span(values)));
    exchange_bytes(views, bytes);
    send.clear();
    std::vector<std::vector<T>> out(count_);
    for (int p = 0; p < count_; ++p) {
      out[p].resize(bytes[p].size() / sizeof(T));
      if (!out[p].empty()) std::memcpy(out[p].data(), bytes[p].data(), bytes[p].size());
      bytes[p] = {};
    }
    return out;
  }

 private:
  void exchange_bytes(std::span<const std::span<const std::byte>> send,
                      std::vector<std::vector<std::byte>>& received) const;
  std::vector<std::int64_t> sizes_of_all(std::size_t own) const;

  MPI_Comm comm_;
  int rank_ = 0, count_ = 1;
};

/// The communicator behind the processes of Machines. Throws internal for others.
const Communicator& communicator_of(const Processes& processes);

}  // namespace parsimony::distributed
