#include "distributed/communicator.hpp"

#include <numeric>

#include "parsimony/core/error.hpp"

namespace parsimony::distributed {
namespace {

constexpr std::int64_t kMostBytes = 1 << 26;  // in one message

}  // namespace

Communicator::Communicator(MPI_Comm comm) : comm_(comm) {
  MPI_Comm_rank(comm, &rank_);
  MPI_Comm_size(comm, &count_);
}

std::vector<std::int64_t> Communicator::sizes_of_all(std::size_t own) const {
  const auto size = static_cast<std::int64_t>(own);
  std::vector<std::int64_t> all(count_);
  MPI_Allgather(&size, 1, MPI_INT64_T, all.data(), 1, MPI_INT64_T, comm_);
  return all;
}

std::vector<std::byte> Communicator::gather_bytes(std::span<const std::byte> own) const {
  const std::vector<std::int64_t> sizes = sizes_of_all(own.size());
  std::vector<std::int64_t> begins(count_);
  std::exclusive_scan(sizes.begin(), sizes.end(), begins.begin(), std::int64_t{0});
  const std::int64_t total = begins.back() + sizes.back();
  std::vector<std::byte> out(total);
  if (total <= kMostBytes) {
    const std::vector<int> counts(sizes.begin(), sizes.end()), places(begins.begin(), begins.end());
    MPI_Allgatherv(own.data(), counts[rank_], MPI_BYTE, out.data(), counts.data(), places.data(), MPI_BYTE,
                   comm_);
    return out;
  }
  std::copy(own.begin(), own.end(), out.begin() + begins[rank_]);
  for (int p = 0; p < count_; ++p) {
    for (std::int64_t at = 0; at < sizes[p]; at += kMostBytes) {
      MPI_Bcast(out.data() + begins[p] + at, static_cast<int>(std::min(kMostBytes, sizes[p] - at)), MPI_BYTE,
                p, comm_);
    }
  }
  return out;
}

std::vector<std::byte> Communicator::collect_bytes(std::span<const std::byte> own) const {
  const std::vector<std::int64_t> sizes = sizes_of_all(own.size());
  std::vector<std::byte> out;
  if (rank_ == 0) {
    out.resize(std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}));
    std::copy(own.begin(), own.end(), out.begin());
  }
  std::int64_t begin = sizes[0];
  for (int p = 1; p < count_; ++p) {
    for (std::int64_t at = 0; at < sizes[p]; at += kMostBytes) {
      const auto bytes = static_cast<int>(std::min(kMostBytes, sizes[p] - at));
      if (rank_ == p) MPI_Send(own.data() + at, bytes, MPI_BYTE, 0, 0, comm_);
      if (rank_ == 0) MPI_Recv(out.data() + begin + at, bytes, MPI_BYTE, p, 0, comm_, MPI_STATUS_IGNORE);
    }
    begin += sizes[p];
  }
  return out;
}

void Communicator::broadcast_bytes(std::span<std::byte> bytes) const {
  for (std::int64_t at = 0; at < std::ssize(bytes); at += kMostBytes) {
    MPI_Bcast(bytes.data() + at, static_cast<int>(std::min(kMostBytes, std::ssize(bytes) - at)), MPI_BYTE, 0,
              comm_);
  }
}

void Communicator::sum(std::span<std::int64_t> values) const {
  for (std::int64_t at = 0; at < std::ssize(values); at += kMostBytes) {
    MPI_Allreduce(MPI_IN_PLACE, values.data() + at,
                  static_cast<int>(std::min(kMostBytes, std::ssize(values) - at)), MPI_INT64_T, MPI_SUM,
                  comm_);
  }
}

void Communicator::sum(std::span<double> values) const {
  for (std::int64_t at = 0; at < std::ssize(values); at += kMostBytes) {
    MPI_Allreduce(MPI_IN_PLACE, values.data() + at,
                  static_cast<int>(std::min(kMostBytes, std::ssize(values) - at)), MPI_DOUBLE, MPI_SUM,
                  comm_);
  }
}

void Communicator::unite(std::span<std::uint64_t> words) const {
  for (std::int64_t at = 0; at < std::ssize(words); at += kMostBytes) {
    MPI_Allreduce(MPI_IN_PLACE, words.data() + at,
                  static_cast<int>(std::min(kMostBytes, std::ssize(words) - at)), MPI_UINT64_T, MPI_BOR,
                  comm_);
  }
}

std::int64_t Communicator::sum_of(std::int64_t value) const {
  sum(std::span<std::int64_t>(&value, 1));
  return value;
}

std::int64_t Communicator::most_of(std::int64_t value) const {
  MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT64_T, MPI_MAX, comm_);
  return value;
}

std::int64_t Communicator::before(std::int64_t value) const {
  std::int64_t sum = 0;
  MPI_Exscan(&value, &sum, 1, MPI_INT64_T, MPI_SUM, comm_);
  return rank_ == 0 ? 0 : sum;  // process 0 receives nothing
}

std::vector<std::int64_t> Communicator::sizes_from_all(
    std::span<const std::span<const std::byte>> send) const {
  std::vector<std::int64_t> out(count_), in(count_);
  for (int p = 0; p < count_; ++p) out[p] = std::ssize(send[p]);
  MPI_Alltoall(out.data(), 1, MPI_INT64_T, in.data(), 1, MPI_INT64_T, comm_);
  return in;
}

void Communicator::exchange_bytes(std::span<const std::span<const std::byte>> send,
                                  std::span<const std::span<std::byte>> received) const {
  std::vector<MPI_Request> requests;
  for (int p = 0; p < count_; ++p) {
    for (std::int64_t at = 0; at < std::ssize(received[p]); at += kMostBytes) {
      MPI_Irecv(received[p].data() + at, static_cast<int>(std::min(kMostBytes, std::ssize(received[p]) - at)),
                MPI_BYTE, p, 0, comm_, &requests.emplace_back());
    }
  }
  for (int step = 0; step < count_; ++step) {
    const int p = (rank_ + step) % count_;  // not all to the same one at first
    for (std::int64_t at = 0; at < std::ssize(send[p]); at += kMostBytes) {
      MPI_Isend(send[p].data() + at, static_cast<int>(std::min(kMostBytes, std::ssize(send[p]) - at)),
                MPI_BYTE, p, 0, comm_, &requests.emplace_back());
    }
  }
  MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE);
}

const Communicator& communicator_of(const Processes& processes) {
  const auto* communicator = dynamic_cast<const Communicator*>(&processes);
  if (communicator == nullptr) throw Error(ErrorCode::internal, "processes without a communicator");
  return *communicator;
}

}  // namespace parsimony::distributed
