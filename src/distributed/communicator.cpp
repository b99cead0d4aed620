#include "distributed/communicator.hpp"

#include <chrono>
#include <numeric>
#include <thread>

#include "parsimony/core/error.hpp"

namespace parsimony::distributed {
namespace {

constexpr std::int64_t kMostBytes = 1 << 26;  // in one message
constexpr double kBusy = 100e-6;              // seconds of a wait without sleep
constexpr double kLongestSleep = 1e-3;

}  // namespace

void wait_for(std::span<MPI_Request> requests) {
  const double begin = MPI_Wtime();
  for (;;) {
    int done = 0;
    MPI_Testall(static_cast<int>(requests.size()), requests.data(), &done, MPI_STATUSES_IGNORE);
    if (done) return;
    const double waited = MPI_Wtime() - begin;
    if (waited < kBusy) continue;
    std::this_thread::sleep_for(std::chrono::duration<double>(std::min(waited / 8, kLongestSleep)));
  }
}

Communicator::Communicator(MPI_Comm comm) : comm_(comm) {
  MPI_Comm_rank(comm, &rank_);
  MPI_Comm_size(comm, &count_);
}

std::vector<std::int64_t> Communicator::sizes_of_all(std::size_t own) const {
  const auto size = static_cast<std::int64_t>(own);
  std::vector<std::int64_t> all(count_);
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Iallgather(&size, 1, MPI_INT64_T, all.data(), 1, MPI_INT64_T, comm_, &request);
  wait_for(request);
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
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Iallgatherv(own.data(), counts[rank_], MPI_BYTE, out.data(), counts.data(), places.data(), MPI_BYTE,
                    comm_, &request);
    wait_for(request);
    return out;
  }
  std::copy(own.begin(), own.end(), out.begin() + begins[rank_]);
  for (int p = 0; p < count_; ++p) {
    broadcast_from(p, std::span(out).subspan(begins[p], sizes[p]));
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
      if (rank_ != p && rank_ != 0) continue;
      const auto bytes = static_cast<int>(std::min(kMostBytes, sizes[p] - at));
      MPI_Request request = MPI_REQUEST_NULL;
      if (rank_ == p) {
        MPI_Isend(own.data() + at, bytes, MPI_BYTE, 0, 0, comm_, &request);
      } else {
        MPI_Irecv(out.data() + begin + at, bytes, MPI_BYTE, p, 0, comm_, &request);
      }
      wait_for(request);
    }
    begin += sizes[p];
  }
  return out;
}

void Communicator::broadcast_from(int root, std::span<std::byte> bytes) const {
  for (std::int64_t at = 0; at < std::ssize(bytes); at += kMostBytes) {
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Ibcast(bytes.data() + at, static_cast<int>(std::min(kMostBytes, std::ssize(bytes) - at)), MPI_BYTE,
               root, comm_, &request);
    wait_for(request);
  }
}

void Communicator::broadcast_bytes(std::span<std::byte> bytes) const {
  broadcast_from(0, bytes);
}

template <class T>
void Communicator::reduce(std::span<T> values, MPI_Datatype type, MPI_Op how) const {
  for (std::int64_t at = 0; at < std::ssize(values); at += kMostBytes) {
    MPI_Request request = MPI_REQUEST_NULL;
    MPI_Iallreduce(MPI_IN_PLACE, values.data() + at,
                   static_cast<int>(std::min(kMostBytes, std::ssize(values) - at)), type, how, comm_,
                   &request);
    wait_for(request);
  }
}

void Communicator::sum(std::span<std::int64_t> values) const {
  reduce(values, MPI_INT64_T, MPI_SUM);
}

void Communicator::sum(std::span<double> values) const {
  reduce(values, MPI_DOUBLE, MPI_SUM);
}

void Communicator::unite(std::span<std::uint64_t> words) const {
  reduce(words, MPI_UINT64_T, MPI_BOR);
}

std::int64_t Communicator::sum_of(std::int64_t value) const {
  sum(std::span<std::int64_t>(&value, 1));
  return value;
}

std::int64_t Communicator::most_of(std::int64_t value) const {
  reduce(std::span(&value, 1), MPI_INT64_T, MPI_MAX);
  return value;
}

std::int64_t Communicator::before(std::int64_t value) const {
  std::int64_t sum = 0;
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Iexscan(&value, &sum, 1, MPI_INT64_T, MPI_SUM, comm_, &request);
  wait_for(request);
  return rank_ == 0 ? 0 : sum;  // process 0 receives nothing
}

std::vector<std::int64_t> Communicator::sizes_from_all(
    std::span<const std::span<const std::byte>> send) const {
  std::vector<std::int64_t> out(count_), in(count_);
  for (int p = 0; p < count_; ++p) out[p] = std::ssize(send[p]);
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Ialltoall(out.data(), 1, MPI_INT64_T, in.data(), 1, MPI_INT64_T, comm_, &request);
  wait_for(request);
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
  wait_for(requests);
}

namespace {

MPI_Comm split(const Communicator& all, int color) {
  MPI_Comm out = MPI_COMM_NULL;
  MPI_Comm_split(all.comm(), color, all.rank(), &out);
  return out;
}

}  // namespace

PartOfProcesses::PartOfProcesses(const Communicator& all, int color) : communicator_(split(all, color)) {}

PartOfProcesses::~PartOfProcesses() {
  MPI_Comm comm = communicator_.comm();
  MPI_Comm_free(&comm);
}

const Communicator& communicator_of(const Processes& processes) {
  const auto* communicator = dynamic_cast<const Communicator*>(&processes);
  if (communicator == nullptr) throw Error(ErrorCode::internal, "processes without a communicator");
  return *communicator;
}

}  // namespace parsimony::distributed
