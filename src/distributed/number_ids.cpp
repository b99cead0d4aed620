#include "distributed/number_ids.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "core/count_of.hpp"
#include "core/together.hpp"
#include "distributed/exchange_ids.hpp"
#include "distributed/partition.hpp"
#include "graph/id_index.hpp"
#include "graph/ranked_bits.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::distributed {
namespace {

constexpr std::int64_t kSamples = 64;      // per process: ranges within some percent of each other
constexpr std::uint64_t kRangePerId = 32;  // a bitmap takes at most 6 bytes for each id of a process

void check_count(std::int64_t nodes) {
  if (nodes > std::numeric_limits<std::int32_t>::max()) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{}; at most 2147483647 are supported", count_of(nodes, "node")));
  }
}

// Consumes the pieces.
template <class Id, class NodeOf>
std::vector<graph::EntryBlock> numbered_blocks(std::vector<std::vector<Id>>& pieces, const NodeOf& node_of,
                                               const Context& context) {
  std::vector<graph::EntryBlock> out(pieces.size());
  context.for_blocks(std::ssize(pieces), 1, [&](std::int64_t p, std::int64_t) {
    const std::vector<Id> ids = std::move(pieces[p]);
    out[p].nodes.resize(ids.size() / 2);
    for (std::size_t e = 0; e < ids.size() / 2; ++e) {
      out[p].nodes[e] = {node_of(ids[2 * e]), node_of(ids[2 * e + 1])};
    }
  });
  return out;
}

// Integers in a range that is narrow for their number.
std::optional<NumberedIds<std::int64_t>> number_in_bitmap(const Communicator& communicator,
                                                          std::vector<std::vector<std::int64_t>>& pieces,
                                                          const graph::MemoryBudget& budget,
                                                          const Context& context) {
  std::int64_t low = std::numeric_limits<std::int64_t>::max(), high = ~low, own = 0;
  for (const auto& piece : pieces) {
    own += std::ssize(piece);
    for (const std::int64_t id : piece) {
      low = std::min(low, id);
      high = std::max(high, id);
    }
  }
  low = ~communicator.most_of(~low);  // ~ turns the order round
  high = communicator.most_of(high);
  const auto ids = static_cast<std::uint64_t>(communicator.sum_of(own));
  // Differences as unsigned: the range of all 64-bit integers does not fit a signed one.
  const auto place = [&](std::int64_t id) {
    return static_cast<std::uint64_t>(id) - static_cast<std::uint64_t>(low);
  };
  const std::uint64_t range = place(high);
  if (ids == 0 || range / kRangePerId >= ids / communicator.count()) return std::nullopt;
  graph::RankedBits bits;
  together(communicator, [&] {
    budget.require(static_cast<std::int64_t>(range / 64 * 12));
    bits = graph::RankedBits(range + 1);
    context.for_blocks(std::ssize(pieces), 1, [&](std::int64_t p, std::int64_t) {
      for (const std::int64_t id : pieces[p]) bits.insert(place(id));
    });
  });
  communicator.unite(bits.words());
  const std::int64_t nodes = bits.count();
  check_count(nodes);
  NumberedIds<std::int64_t> out;
  out.blocks = numbered_blocks(
      pieces, [&](std::int64_t id) { return bits.rank(place(id)); }, context);
  const Partition partition = Partition::even(nodes, communicator.rank(), communicator.count());
  out.table.begins = partition.begins;
  std::int64_t node = 0;
  bits.for_each([&](std::uint64_t number) {
    if (partition.holds(node++)) {
      out.table.own.push_back(static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + number));
    }
  });
  return out;
}

// The first id of every process but the first one.
template <class Id>
ReceivedIds<Id> splitters(const Communicator& communicator, const std::vector<Id>& ids) {
  std::vector<Id> samples;
  for (std::int64_t s = 0; s < kSamples && !ids.empty(); ++s) {
    samples.push_back(ids[s * std::ssize(ids) / kSamples]);
  }
  ReceivedIds<Id> out = gather_ids(communicator, std::span<const Id>(samples));
  std::vector<Id>& all = out.ids[0];
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  std::vector<Id> chosen;
  for (int p = 1; p < communicator.count() && !all.empty(); ++p) {
    chosen.push_back(all[p * std::ssize(all) / communicator.count()]);
  }
  all = std::move(chosen);
  return out;
}

template <class Id>
NumberedIds<Id> number_by_sorting(const Communicator& communicator, std::vector<std::vector<Id>>& pieces,
                                  const graph::MemoryBudget& budget, const Context& context) {
  std::optional<graph::IdIndex<Id>> index;
  std::vector<Id> distinct;
  together(communicator, [&] {
    index.emplace(pieces, budget, context);
    budget.require(2 * index->size() * static_cast<std::int64_t>(sizeof(Id) + 4));
    distinct = index->distinct();
  });
  std::vector<std::span<const Id>> send;
  {
    const ReceivedIds<Id> first = splitters(communicator, distinct);
    auto begin = distinct.cbegin();
    for (int p = 0; p < communicator.count(); ++p) {
      const bool last = p >= std::ssize(first.ids[0]);
      const auto end = last ? distinct.cend() : std::lower_bound(begin, distinct.cend(), first.ids[0][p]);
      send.emplace_back(begin, end);
      begin = end;
    }
  }
  const ReceivedIds<Id> asked = exchange_ids(communicator, send);
  NumberedIds<Id> out;
  IdTable<Id>& table = out.table;
  std::optional<graph::IdIndex<Id>> own;
  together(communicator, [&] {
    own.emplace(asked.ids, budget, context);
    for (const Id& id : own->distinct()) table.own.emplace_back(id);
  });
  const std::int64_t size = own->size();
  for (const std::int64_t more : communicator.gather(std::span<const std::int64_t>(&size, 1))) {
    table.begins.push_back(table.begins.back() + more);
  }
  check_count(table.nodes());
  const auto first = static_cast<std::int32_t>(table.begins[communicator.rank()]);
  std::vector<std::vector<std::int32_t>> answer(communicator.count());
  for (int p = 0; p < communicator.count(); ++p) {
    for (const Id& id : asked.ids[p]) answer[p].push_back(first + (*own)[id]);
  }
  std::vector<std::int32_t> numbers;  // those of `distinct`, as the ranges ascend with the processes
  numbers.reserve(distinct.size());
  for (const auto& part : communicator.exchange(std::move(answer))) {
    numbers.insert(numbers.end(), part.begin(), part.end());
  }
  out.blocks = numbered_blocks(
      pieces, [&](const Id& id) { return numbers[(*index)[id]]; }, context);
  return out;
}

std::string text_of(std::int64_t id) {
  return std::to_string(id);
}
std::string text_of(const std::string& id) {
  return id;
}

}  // namespace

template <class Id>
NumberedIds<Id> number_ids(const Communicator& communicator, std::vector<std::vector<Id>> pieces,
                           const graph::MemoryBudget& budget, const Context& context) {
  if constexpr (std::is_same_v<Id, std::int64_t>) {
    if (auto out = number_in_bitmap(communicator, pieces, budget, context)) return std::move(*out);
  }
  return number_by_sorting(communicator, pieces, budget, context);
}

template <class Id>
std::vector<std::string> IdTable<Id>::names(const Communicator& communicator,
                                            std::span<const std::int32_t> nodes) const {
  std::vector<std::string> out;
  const std::int64_t begin = begins[communicator.rank()];
  for (const std::int32_t node : nodes) {
    const bool mine = node >= begin && node < begins[communicator.rank() + 1];
    const std::string name = mine ? text_of(own[node - begin]) : "";
    const std::vector<char> all = communicator.gather(std::span<const char>(name));
    out.emplace_back(all.begin(), all.end());
  }
  return out;
}

template struct IdTable<std::int64_t>;
template struct IdTable<std::string_view>;
template NumberedIds<std::int64_t> number_ids(const Communicator&, std::vector<std::vector<std::int64_t>>,
                                              const graph::MemoryBudget&, const Context&);
template NumberedIds<std::string_view> number_ids(const Communicator&,
                                                  std::vector<std::vector<std::string_view>>,
                                                  const graph::MemoryBudget&, const Context&);

}  // namespace parsimony::distributed
