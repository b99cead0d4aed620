#include "quant/plan/losses.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/count_of.hpp"
#include "quant/plan/batch_norm_network.hpp"

namespace parsimony::quant {
namespace {

void warn_of_products(const CompactRecipe& recipe, std::span<const double> relative_mse,
                      const Context& context) {
  constexpr double kMost = 1.0 / 3;
  std::size_t count = 0, products = 0, worst = 0;
  for (std::size_t w = 0; w < relative_mse.size(); ++w) {
    if (recipe.weights[w].scheme != Scheme::product) continue;
    ++products;
    if (!(relative_mse[w] > kMost)) continue;
    if (count++ == 0 || relative_mse[w] > relative_mse[worst]) worst = w;
  }
  if (count == 0) return;
  context.log(LogLevel::warning,
              fmt::format("product codes lose more than a third of {} of {}, {:.0f} % of {}; hardly a "
                          "network works like that before it is trained with its codes (docs/training.md): "
                          "train it, or set a larger option budget or a smaller option block_size",
                          count, count_of(products, "weight"), 100 * relative_mse[worst],
                          quoted_name(recipe.weights[worst].name)));
}

void warn_of_means(const ModelTensors& model, const CompactRecipe& recipe, const Context& context) {
  const bool normed =
      std::any_of(model.tensors().begin(), model.tensors().end(),
                  [](const TensorView& tensor) { return tensor.name.ends_with("running_mean"); });
  if (!normed) return;
  std::int64_t all = 0, few_bits = 0;
  for (const WeightRecipe& weight : recipe.weights) {
    if (weight.shape.size() < 3) continue;
    const std::int64_t values = TensorInfo{weight.name, weight.dtype, weight.shape}.values();
    const std::int64_t each = weight.scheme == Scheme::product ? weight.block_size : 1;
    all += values;
    if (weight.bits <= 4 * each) few_bits += values;
  }
  if (2 * few_bits <= all || all == 0) return;
  context.log(
      LogLevel::warning,
      normed_layers(model).empty()
          ? "most convolutions have 4 bits a weight or fewer, which shifts the means that batch norm "
            "subtracts; "
            "run the network on some data in training mode to put its running means right, or train it with "
            "its "
            "codes (docs/training.md)"
          : "most convolutions have 4 bits a weight or fewer, which shifts the means that batch norm "
            "subtracts; "
            "option bias_correction puts them right without data, and training with the codes does better "
            "(docs/training.md)");
}

}  // namespace

void warn_of_losses(const ModelTensors& model, const CompactRecipe& recipe,
                    std::span<const double> relative_mse, bool corrected, const Context& context) {
  warn_of_products(recipe, relative_mse, context);
  if (!corrected) warn_of_means(model, recipe, context);
}

}  // namespace parsimony::quant
