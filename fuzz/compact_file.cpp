#include "parsimony/quant/compact_file.hpp"

#include <algorithm>

#include "check.hpp"
#include "parsimony/quant/decode.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parsimony;
  fuzz::value_or_error([&] {
    const SafetensorsFile file(fuzz::as_string(data, size), "input");
    const quant::CompactModel model = quant::read_compact_file(file);
    for (std::size_t i = 0; i < model.weights.size(); ++i) {
      const auto& shape = model.recipe.weights[i].shape;
      std::int64_t values = 1;
      for (const std::int64_t side : shape) values *= side;
      // A few codes may stand for many values, but for no more padding than these.
      const std::int64_t block = std::max<std::int64_t>(1, model.recipe.weights[i].block_size);
      fuzz::check(block * quant::code_count(model.weights[i]) < 2 * values, "as many values as padding");
      if (values > 1 << 16) continue;
      fuzz::check(static_cast<std::int64_t>(quant::decode(model.weights[i]).size()) == values,
                  "a value for each");
    }
    // A file that was read can be written again.
    fuzz::check(quant::planned_size(model.recipe) > 0, "has a size");
  });
  return 0;
}
