// random_patches for callers that can do without the patches when images have too few.
#pragma once

#include <optional>
#include <span>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/operators/patches.hpp"

namespace parsimony::operators {

/// As random_patches; nothing where fewer than one patch in 1000 deviates by min_deviation. Throws
/// random_patches' other errors.
std::optional<Matrix<float>> find_patches(std::span<const MatrixView<const float>> images,
                                          const PatchOptions& options, const Context& context);

}  // namespace parsimony::operators
