#include "graph/id_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <type_traits>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::graph {
namespace {

// Ids in a range of at most this many numbers per id are looked up in a bitmap (at most 6 bytes per id),
// which is many times faster than a search.
constexpr std::uint64_t kRangePerId = 32;

template <class Id>
std::vector<Id> sorted_once(std::vector<std::vector<Id>> pieces, const Context& context) {
  context.for_blocks(static_cast<std::int64_t>(pieces.size()), 1, [&](std::int64_t p, std::int64_t) {
    std::vector<Id>& piece = pieces[p];
    std::sort(piece.begin(), piece.end());
    piece.erase(std::unique(piece.begin(), piece.end()), piece.end());
  });
  while (pieces.size() > 1) {
    std::vector<std::vector<Id>> merged((pieces.size() + 1) / 2);
    context.for_blocks(static_cast<std::int64_t>(merged.size()), 1, [&](std::int64_t m, std::int64_t) {
      std::vector<Id> left = std::move(pieces[2 * m]), right;
      if (2 * m + 1 < static_cast<std::int64_t>(pieces.size())) right = std::move(pieces[2 * m + 1]);
      merged[m].reserve(left.size() + right.size());
      std::set_union(left.begin(), left.end(), right.begin(), right.end(), std::back_inserter(merged[m]));
    });
    pieces = std::move(merged);
  }
  return pieces.empty() ? std::vector<Id>{} : std::move(pieces.front());
}

}  // namespace

template <class Id>
IdIndex<Id>::IdIndex(const std::vector<std::vector<Id>>& pieces, const MemoryBudget& budget,
                     const Context& context) {
  if constexpr (std::is_same_v<Id, std::int64_t>) mark(pieces, context);
  if (bits_.empty()) {
    std::size_t count = 0;
    for (const auto& piece : pieces) count += piece.size();
    budget.require(static_cast<std::int64_t>(2 * count * sizeof(Id)));  // a copy to sort, what it merges to
    sorted_ = sorted_once(pieces, context);
    size_ = static_cast<std::int64_t>(sorted_.size());
  }
  if (size_ > std::numeric_limits<std::int32_t>::max()) {
    throw Error(ErrorCode::unsupported, fmt::format("{}: {}; at most 2147483647 are supported", budget.file,
                                                    count_of(size_, "distinct node")));
  }
}

template <class Id>
void IdIndex<Id>::mark(const std::vector<std::vector<Id>>& pieces, const Context& context) {
  if constexpr (std::is_same_v<Id, std::int64_t>) {
    std::uint64_t count = 0;
    const auto pieces_end = static_cast<std::int64_t>(pieces.size());
    std::vector<std::int64_t> low(pieces.size(), std::numeric_limits<std::int64_t>::max());
    std::vector<std::int64_t> high(pieces.size(), std::numeric_limits<std::int64_t>::min());
    for (const auto& piece : pieces) count += piece.size();
    if (count == 0) return;
    context.for_blocks(pieces_end, 1, [&](std::int64_t p, std::int64_t) {
      for (const std::int64_t id : pieces[p]) {
        low[p] = std::min(low[p], id);
        high[p] = std::max(high[p], id);
      }
    });
    first_ = *std::min_element(low.begin(), low.end());
    const auto last = *std::max_element(high.begin(), high.end());
    // Differences as unsigned: the range of all 64-bit integers does not fit a signed one.
    const std::uint64_t span = static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first_);
    if (span / kRangePerId >= count) return;
    bits_ = RankedBits(span + 1);
    context.for_blocks(pieces_end, 1, [&](std::int64_t p, std::int64_t) {
      for (const std::int64_t id : pieces[p]) {
        bits_.insert(static_cast<std::uint64_t>(id) - static_cast<std::uint64_t>(first_));
      }
    });
    size_ = bits_.count();
  }
}

template <class Id>
std::int32_t IdIndex<Id>::operator[](Id id) const {
  if constexpr (std::is_same_v<Id, std::int64_t>) {
    if (!bits_.empty()) {
      return bits_.rank(static_cast<std::uint64_t>(id) - static_cast<std::uint64_t>(first_));
    }
  }
  return static_cast<std::int32_t>(std::lower_bound(sorted_.begin(), sorted_.end(), id) - sorted_.begin());
}

template <class Id>
std::vector<Id> IdIndex<Id>::distinct() const {
  if constexpr (std::is_same_v<Id, std::int64_t>) {
    if (!bits_.empty()) {
      std::vector<std::int64_t> ids;
      ids.reserve(size_);
      bits_.for_each([&](std::uint64_t place) {
        ids.push_back(static_cast<std::int64_t>(static_cast<std::uint64_t>(first_) + place));
      });
      return ids;
    }
  }
  return sorted_;
}

template <class Id>
NodeIds IdIndex<Id>::names() const {
  if constexpr (std::is_same_v<Id, std::string_view>) {
    return NodeIds::strings(std::vector<std::string>(sorted_.begin(), sorted_.end()));
  } else {
    return NodeIds::numbers(distinct());
  }
}

template class IdIndex<std::int64_t>;
template class IdIndex<std::string_view>;

}  // namespace parsimony::graph
