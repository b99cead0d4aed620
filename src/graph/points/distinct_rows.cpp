#include "graph/points/distinct_rows.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <type_traits>
#include <utility>

namespace parsimony::graph {
namespace {

constexpr std::int64_t kRowsPerHashBlock = 1 << 12;

// Mixes each value into the hash by a multiplication and a rotation, then spreads the last bits.
template <class T>
std::uint64_t hash_of(std::span<const T> row) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  std::uint64_t hash = 0x9e3779b97f4a7c15u;
  for (const T value : row) {
    hash = (std::rotl(hash, 29) ^ std::bit_cast<Bits>(value + T{0})) * 0xd6e8feb86659fd93u;  // −0 + 0 is 0
  }
  hash ^= hash >> 32;
  return hash * 0xd6e8feb86659fd93u;
}

}  // namespace

std::int64_t DistinctRows::largest() const {
  std::int64_t most = 0;
  for (std::int64_t g = 0; g < count(); ++g) most = std::max(most, starts[g + 1] - starts[g]);
  return most;
}

template <class T>
DistinctRows distinct_rows(MatrixView<const T> rows, const Context& context) {
  const std::int64_t n = rows.rows;
  std::vector<std::pair<std::uint64_t, std::int32_t>> hashes(n);
  context.for_blocks(n, kRowsPerHashBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      hashes[i] = {hash_of(rows.row(i)), static_cast<std::int32_t>(i)};
    }
  });
  std::sort(hashes.begin(), hashes.end());
  context.check_cancelled();

  // The first row of each row's group. Rows of one hash that differ are compared with each first one.
  std::vector<std::int32_t> first_of(n), firsts;
  for (std::int64_t at = 0, end = 0; at < n; at = end) {
    firsts.clear();
    for (end = at; end < n && hashes[end].first == hashes[at].first; ++end) {
      if ((end & 0xfff) == 0) context.check_cancelled();
      const std::int32_t i = hashes[end].second;
      const auto row = rows.row(i);
      const auto same = std::find_if(firsts.begin(), firsts.end(), [&](std::int32_t first) {
        return std::equal(row.begin(), row.end(), rows.row(first).begin());
      });
      first_of[i] = same == firsts.end() ? i : *same;
      if (same == firsts.end()) firsts.push_back(i);
    }
  }

  DistinctRows out;
  out.group_of.resize(n);
  std::int32_t groups = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    out.group_of[i] = first_of[i] == i ? groups++ : out.group_of[first_of[i]];
  }
  out.starts.assign(groups + 1, 0);
  for (const std::int32_t group : out.group_of) ++out.starts[group + 1];
  std::partial_sum(out.starts.begin(), out.starts.end(), out.starts.begin());
  out.members.resize(n);
  std::vector<std::int64_t> next(out.starts.begin(), out.starts.end() - 1);
  for (std::int64_t i = 0; i < n; ++i) {
    out.members[next[out.group_of[i]]++] = static_cast<std::int32_t>(i);
  }
  return out;
}

template DistinctRows distinct_rows(MatrixView<const float>, const Context&);
template DistinctRows distinct_rows(MatrixView<const double>, const Context&);

}  // namespace parsimony::graph
