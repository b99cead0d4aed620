#include "graph/assemble.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <type_traits>

#include "parsimony/core/error.hpp"

namespace parsimony::graph {
namespace {

constexpr std::int64_t kRowBlock = 1 << 13;
constexpr std::int64_t kPiece = 1 << 16;  // entries that one thread takes at a time

// Every entry (a, b) is put into row a as an outward neighbour and into row b as an inward one. A key is,
// from the high bits down, the neighbour, 1 when inward, and the bits of the weight (those of positive floats
// order as the floats do). Rows are filled by several threads in any order and then sorted, so that sums do
// not depend on it, and both ends of an edge see the same values and come to the same weight.
template <bool kWeighted>
struct Key {
  using Bits = std::conditional_t<kWeighted, std::uint64_t, std::uint32_t>;
  static constexpr int kShift = kWeighted ? 32 : 0;

  static Bits make(std::int32_t neighbor, bool inward, float weight) {
    const Bits high = static_cast<Bits>(neighbor) << 1 | Bits{inward};
    return high << kShift | (kWeighted ? std::bit_cast<std::uint32_t>(weight) : 0);
  }
  static std::int32_t neighbor(Bits key) { return static_cast<std::int32_t>(key >> kShift >> 1); }
  static bool inward(Bits key) { return key >> kShift & 1; }
  static float weight(Bits key) {
    return kWeighted ? std::bit_cast<float>(static_cast<std::uint32_t>(key)) : 1.0f;
  }
};

// All entries between a row and one neighbour.
struct Pair {
  std::array<double, 2> sum{};  // outward, inward
  std::array<std::int64_t, 2> count{};
};

// The weights of symmetric kernels often differ in their last bits.
bool nearly_equal(double a, double b) {
  return std::abs(a - b) <= 1e-6 * std::max(a, b);
}

// The weight of an edge, or nothing when its directions contradict each other.
std::optional<double> resolve(const Pair& pair, const AssembleOptions& options) {
  const auto& [out, in] = pair.sum;
  if (options.meaning == EntryMeaning::triangle) return options.weighted ? out + in : 1.0;
  if (options.directed) return out + in;
  const bool both = pair.count[0] > 0 && pair.count[1] > 0;
  if (options.meaning == EntryMeaning::edge_list && !both) return out + in;
  if (both && out == in) return out;
  if (!options.symmetrize && !(both && nearly_equal(out, in))) return std::nullopt;
  return (out + in) / 2;
}

class Assembler {
 public:
  // Makes the rows first..last − 1.
  Assembler(std::vector<EntryBlock>&& blocks, std::int64_t first, std::int64_t last,
            const AssembleOptions& options, const MemoryBudget& budget, const Context& context)
      : blocks_(std::move(blocks)),
        first_(first),
        nodes_(last - first),
        options_(options),
        budget_(budget),
        context_(context) {
    for (const EntryBlock& block : blocks_) {
      const auto entries = static_cast<std::int64_t>(block.nodes.size());
      for (std::int64_t begin = 0; begin < entries; begin += kPiece) {
        pieces_.push_back({&block, begin, std::min(begin + kPiece, entries)});
      }
    }
  }

  Assembled run() {
    // An unweighted matrix that is not symmetric becomes a weighted graph of ones and halves, arcs one of
    // ones and twos.
    const bool keep_weights = options_.weighted || options_.directed ||
                              (options_.meaning == EntryMeaning::matrix && options_.symmetrize);
    keep_weights ? run<true>() : run<false>();
    return std::move(out_);
  }

 private:
  template <bool kWeighted>
  void run() {
    using Bits = typename Key<kWeighted>::Bits;
    std::int64_t all = 0;
    for (const EntryBlock& block : blocks_) all += static_cast<std::int64_t>(block.nodes.size());
    const bool has_weights =
        std::any_of(blocks_.begin(), blocks_.end(), [](const auto& block) { return !block.weights.empty(); });
    const std::int64_t blocks_bytes = all * (has_weights ? 12 : 8);
    // Where the rows end, in the keys and in the graph, and the keys; the columns and values of the graph
    // follow when the blocks are freed.
    const std::int64_t rows_bytes = nodes_ * 16,
                       keys_bytes = 2 * all * static_cast<std::int64_t>(sizeof(Bits)),
                       graph_bytes = 2 * all * (kWeighted ? 8 : 4);
    budget_.require(rows_bytes + keys_bytes + std::max<std::int64_t>(0, graph_bytes - blocks_bytes));

    std::vector<std::int64_t> ends = count_rows();
    if (out_.self_loops_dropped > 0) weigh_loops();
    const auto keys = std::make_unique_for_overwrite<Bits[]>(ends.back());
    const std::int64_t kept = ends.back() / 2;
    fill_rows<kWeighted>(ends, keys.get());  // ends[r] is now where row r begins
    pieces_ = {};
    blocks_ = {};
    merge_rows<kWeighted>(ends, keys.get(), kept);
  }

  template <class Body>
  void for_entries(const Body& body) const {
    context_.for_blocks(static_cast<std::int64_t>(pieces_.size()), 1, [&](std::int64_t p, std::int64_t) {
      const auto& [block, begin, end] = pieces_[p];
      for (std::int64_t i = begin; i < end; ++i) {
        body(block->nodes[i][0], block->nodes[i][1], weight_of(*block, i));
      }
    });
  }

  // The place of a node among the rows that are made, if it is among them.
  bool is_made(std::int32_t node) const { return node >= first_ && node - first_ < nodes_; }

  float weight_of(const EntryBlock& block, std::size_t entry) const {
    if (block.weights.empty()) return 1;
    const float weight = block.weights[entry];
    return options_.weighted || weight == 0 ? weight : 1.0f;
  }

  // In the order of the entries, so that the sums are the same for any number of threads.
  void weigh_loops() {
    out_.loop_weights.resize(nodes_);
    for (const EntryBlock& block : blocks_) {
      for (std::size_t i = 0; i < block.nodes.size(); ++i) {
        const auto [a, b] = block.nodes[i];
        if (a != b || !is_made(a)) continue;
        double& weight = out_.loop_weights[a - first_];
        weight =
            options_.weighted ? weight + weight_of(block, i) : std::max<double>(weight, weight_of(block, i));
      }
    }
  }

  // Element r is the end of row r, the last the number of keys.
  std::vector<std::int64_t> count_rows() {
    std::vector<std::int64_t> ends(nodes_ + 1);
    std::atomic<std::int64_t> loops = 0, zeros = 0;
    for_entries([&](std::int32_t a, std::int32_t b, float weight) {
      if (a == b) {
        loops.fetch_add(1, std::memory_order_relaxed);
      } else if (weight == 0) {
        zeros.fetch_add(1, std::memory_order_relaxed);
      } else {
        for (const std::int32_t node : {a, b}) {
          if (is_made(node)) std::atomic_ref(ends[node - first_]).fetch_add(1, std::memory_order_relaxed);
        }
      }
    });
    out_.self_loops_dropped = loops;
    out_.zeros_dropped = zeros;
    std::inclusive_scan(ends.begin(), ends.end(), ends.begin());
    return ends;
  }

  template <bool kWeighted>
  void fill_rows(std::vector<std::int64_t>& ends, typename Key<kWeighted>::Bits* keys) const {
    for_entries([&](std::int32_t a, std::int32_t b, float weight) {
      if (a == b || weight == 0) return;
      const auto put = [&](std::int32_t row, std::int32_t neighbor, bool inward) {
        if (!is_made(row)) return;
        keys[std::atomic_ref(ends[row - first_]).fetch_sub(1, std::memory_order_relaxed) - 1] =
            Key<kWeighted>::make(neighbor, inward, weight);
      };
      put(a, b, false);
      put(b, a, true);
    });
  }

  // Sorts each row and merges its keys to one per neighbour at the begin of the row; then moves the rows
  // together.
  template <bool kWeighted>
  void merge_rows(const std::vector<std::int64_t>& begins, typename Key<kWeighted>::Bits* keys,
                  std::int64_t kept) {
    const std::int64_t row_blocks = (nodes_ + kRowBlock - 1) / kRowBlock;
    std::vector<std::optional<EntryFault>> faults(row_blocks);
    std::atomic<std::int64_t> directed = 0;  // pairs of nodes, both directions counted when both are listed
    std::atomic<bool> all_ones = true;
    Csr& out = out_.graph.adjacency;
    out.offsets.assign(nodes_ + 1, 0);
    context_.for_blocks(nodes_, kRowBlock, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) {
        auto *begin = keys + begins[row], *end = keys + begins[row + 1], *to = begin;
        std::sort(begin, end);
        std::int64_t outward = 0;
        for (auto* from = begin; from != end;) {
          const std::int32_t neighbor = Key<kWeighted>::neighbor(*from);
          Pair pair;
          for (; from != end && Key<kWeighted>::neighbor(*from) == neighbor; ++from) {
            const bool inward = Key<kWeighted>::inward(*from);
            const double weight = Key<kWeighted>::weight(*from);
            pair.sum[inward] = options_.weighted ? pair.sum[inward] + weight : weight;
            ++pair.count[inward];
          }
          outward += pair.count[0] > 0;
          const std::optional<double> resolved = resolve(pair, options_);
          float weight = 0;
          if (!resolved || !to_weight(*resolved, weight)) {
            faults[first / kRowBlock] = {.row = static_cast<std::int32_t>(first_ + row),
                                         .neighbor = neighbor,
                                         .sum = pair.sum,
                                         .count = pair.count,
                                         .beyond_float = resolved.has_value()};
            return;
          }
          if (weight != 1) all_ones.store(false, std::memory_order_relaxed);
          *to++ = Key<kWeighted>::make(neighbor, false, weight);
        }
        directed.fetch_add(outward, std::memory_order_relaxed);
        out.offsets[row + 1] = to - begin;
      }
    });
    for (const auto& fault : faults) {
      if (fault) throw *fault;
    }
    std::inclusive_scan(out.offsets.begin(), out.offsets.end(), out.offsets.begin());
    const std::int64_t entries = out.offsets.back();
    const bool by_direction = options_.meaning == EntryMeaning::matrix ||
                              (options_.directed && options_.meaning == EntryMeaning::edge_list);
    out_.duplicates_merged = kept - (by_direction ? directed.load() : entries / 2);
    out.columns.resize(entries);
    const bool with_values = kWeighted && !all_ones;
    if (with_values) out.values.resize(entries);
    context_.for_blocks(nodes_, kRowBlock, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) {
        const auto* key = keys + begins[row];
        for (std::int64_t e = out.offsets[row]; e < out.offsets[row + 1]; ++e, ++key) {
          out.columns[e] = Key<kWeighted>::neighbor(*key);
          if (with_values) out.values[e] = Key<kWeighted>::weight(*key);
        }
      }
    });
  }

  struct Piece {
    const EntryBlock* block;
    std::int64_t begin, end;
  };

  std::vector<EntryBlock> blocks_;
  std::vector<Piece> pieces_;
  std::int64_t first_, nodes_;
  AssembleOptions options_;
  const MemoryBudget& budget_;
  const Context& context_;
  Assembled out_;
};

}  // namespace

void MemoryBudget::require(std::int64_t bytes) const {
  context.require_memory(bytes, "reading " + file);
}

bool to_weight(double value, float& weight) {
  if (!(value >= 0 && value <= std::numeric_limits<float>::max())) return false;
  weight = value == 0 ? 0.0f : std::max(static_cast<float>(value), std::numeric_limits<float>::min());
  return true;
}

std::string EntryFault::message(const std::string& file, const std::string& from, const std::string& to,
                                const std::string& doubt) const {
  if (beyond_float) {
    return fmt::format("{}: the weights between {} and {} add up to {}, beyond float32", file, from, to,
                       sum[0] + sum[1]);
  }
  const auto shown = [&](int direction) {
    return count[direction] > 0 ? fmt::format("{:g}", sum[direction]) : std::string("missing");
  };
  return fmt::format("{}: not symmetric: the entry from {} to {} is {}, the one from {} to {} is {}; {}",
                     file, from, to, shown(0), to, from, shown(1),
                     doubt.empty() ? "option symmetrize takes their mean, option directed their sum" : doubt);
}

Assembled assemble(std::vector<EntryBlock>&& blocks, const NodeIds& ids, const AssembleOptions& options,
                   const MemoryBudget& budget, const Context& context) {
  try {
    Assembled out = Assembler(std::move(blocks), 0, ids.size(), options, budget, context).run();
    if (!options.doubt.empty()) {
      context.log(LogLevel::warning, fmt::format("{}: {}", budget.file, options.doubt));
    }
    return out;
  } catch (const EntryFault& fault) {
    throw Error(options.fault,
                fault.message(budget.file, ids.name(fault.row), ids.name(fault.neighbor), options.doubt));
  }
}

Csr assemble_part(std::vector<EntryBlock>&& blocks, std::int64_t first, std::int64_t last,
                  const AssembleOptions& options, const MemoryBudget& budget, const Context& context) {
  return std::move(Assembler(std::move(blocks), first, last, options, budget, context).run().graph.adjacency);
}

}  // namespace parsimony::graph
