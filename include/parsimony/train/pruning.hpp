// Pruning of whole layers after training with LayerDrop [fan2020reducing].
#pragma once

#include <cstdint>
#include <vector>

#include "parsimony/core/options.hpp"

namespace parsimony::train {

struct PruningOptions {
  /// Keeps one block in this many, beginning with the first: 2 keeps one half, 3 a third. Accuracy survives
  /// if the network was trained with layer_drop: 0.2 suits 2; raise it for more [fan2020reducing].
  std::int64_t keep_every = 2;
};

template <OptionsOf<PruningOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"keep_every", "keep one block in this many, beginning with the first", 1, 1 << 12},
        options.keep_every);
}

/// The numbers of the blocks that stay: 0, keep_every, 2 keep_every, … Throws invalid_argument for options
/// out of range.
std::vector<std::int64_t> kept_blocks(std::int64_t blocks, const PruningOptions& options = {});

}  // namespace parsimony::train
