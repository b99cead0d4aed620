#include "distributed/number_ids.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "parsimony/core/error.hpp"

namespace parsimony::distributed {
namespace {

constexpr std::int64_t kSamples = 64;  // per process: ranges within some percent of each other

std::vector<std::int64_t> sorted_distinct(std::vector<std::int64_t> ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

// The first id of every process but the first one.
std::vector<std::int64_t> splitters(const Communicator& communicator, const std::vector<std::int64_t>& ids) {
  std::vector<std::int64_t> samples;
  for (std::int64_t s = 0; s < kSamples && !ids.empty(); ++s) {
    samples.push_back(ids[s * std::ssize(ids) / kSamples]);
  }
  samples = sorted_distinct(communicator.gather(std::span<const std::int64_t>(samples)));
  std::vector<std::int64_t> out;
  for (int p = 1; p < communicator.count() && !samples.empty(); ++p) {
    out.push_back(samples[p * std::ssize(samples) / communicator.count()]);
  }
  return out;
}

}  // namespace

NumberedIds number_ids(const Communicator& communicator, std::span<const std::int64_t> ids) {
  const std::vector<std::int64_t> distinct = sorted_distinct({ids.begin(), ids.end()});
  const std::vector<std::int64_t> first = splitters(communicator, distinct);
  std::vector<std::vector<std::int64_t>> send(communicator.count());
  for (const std::int64_t id : distinct) {
    send[std::upper_bound(first.begin(), first.end(), id) - first.begin()].push_back(id);
  }
  const auto asked = communicator.exchange(std::move(send));
  NumberedIds out;
  IdTable& table = out.table;
  for (const auto& part : asked) table.own.insert(table.own.end(), part.begin(), part.end());
  table.own = sorted_distinct(std::move(table.own));
  const std::int64_t own = std::ssize(table.own);
  const std::vector<std::int64_t> sizes = communicator.gather(std::span<const std::int64_t>(&own, 1));
  for (const std::int64_t size : sizes) table.begins.push_back(table.begins.back() + size);
  if (table.nodes() > std::numeric_limits<std::int32_t>::max()) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{} nodes; at most 2147483647 are supported", table.nodes()));
  }
  std::vector<std::vector<std::int32_t>> answer(communicator.count());
  for (int p = 0; p < communicator.count(); ++p) {
    for (const std::int64_t id : asked[p]) {
      const auto at = std::lower_bound(table.own.begin(), table.own.end(), id) - table.own.begin();
      answer[p].push_back(static_cast<std::int32_t>(table.begins[communicator.rank()] + at));
    }
  }
  std::vector<std::int32_t> numbers;  // those of `distinct`, as the ranges ascend with the processes
  for (const auto& part : communicator.exchange(std::move(answer))) {
    numbers.insert(numbers.end(), part.begin(), part.end());
  }
  out.nodes.reserve(ids.size());
  for (const std::int64_t id : ids) {
    out.nodes.push_back(numbers[std::lower_bound(distinct.begin(), distinct.end(), id) - distinct.begin()]);
  }
  return out;
}

std::vector<std::int64_t> IdTable::names(const Communicator& communicator,
                                         std::span<const std::int32_t> nodes) const {
  std::vector<std::vector<std::int32_t>> wanted(communicator.count());
  for (const std::int32_t node : nodes) {
    wanted[std::upper_bound(begins.begin(), begins.end(), node) - begins.begin() - 1].push_back(node);
  }
  const auto asked = communicator.exchange(std::move(wanted));
  std::vector<std::vector<std::int64_t>> answer(communicator.count());
  for (int p = 0; p < communicator.count(); ++p) {
    for (const std::int32_t node : asked[p]) answer[p].push_back(own[node - begins[communicator.rank()]]);
  }
  std::vector<std::int64_t> out;
  for (const auto& part : communicator.exchange(std::move(answer)))
    out.insert(out.end(), part.begin(), part.end());
  return out;
}

}  // namespace parsimony::distributed
