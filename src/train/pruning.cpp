#include "parsimony/train/pruning.hpp"

namespace parsimony::train {

std::vector<std::int64_t> kept_blocks(std::int64_t blocks, const PruningOptions& options) {
  validate_fields(options);
  std::vector<std::int64_t> keep;
  for (std::int64_t i = 0; i < blocks; i += options.keep_every) keep.push_back(i);
  return keep;
}

}  // namespace parsimony::train
