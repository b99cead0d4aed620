// Compact files as the Python package of the format, and a reader that knows the specification alone, see
// them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "parsimony/quant/compact_file.hpp"
#include "quant/compact_models.hpp"
#include "temporary_directory.hpp"

namespace parsimony::quant {
namespace {

TEST(CompactPython, AReaderOfTheSpecificationHasTheSameBits) {
  if (std::system("python3 -c 'import numpy, safetensors.numpy' >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "python3 has no numpy or no safetensors";
  }
  RandomModel random(1);
  CompactModel model;
  const auto shared = random.codebook(37, 4, CodebookType::int8);
  random.add(model, "a.weight", random.integer({5, 7}, 3, true));
  random.add(model, "b.weight", random.integer({5, 3, 3, 3}, 8, false, true), true);
  random.add(model, "c.weight", random.product({6, 10}, shared, BlockLayout::row, true, true));
  random.add(model, "d.weight",
             random.product({4, 6, 3, 3}, shared, BlockLayout::input_channels, false, true));
  model.recipe.weights[2].codebook = model.recipe.weights[3].codebook = "shared";
  random.add(model, "e.weight",
             random.product({4, 2, 5}, random.codebook(300, 3, CodebookType::float16),
                            BlockLayout::input_channels, true));
  random.add(model, "f.weight",
             random.product({4, 3, 3, 3}, random.codebook(1, 9, CodebookType::float32), BlockLayout::row,
                            false, true));
  random.add_others(model, {other("bias", DType::float32, {4}, DType::float16),
                            other("half", DType::float16, {3}), other("ids", DType::int64, {2})});
  model.recipe.aliases = {{"tied.weight", "d.weight"}};

  const TemporaryDirectory directory;
  write_compact_file(directory / "small.safetensors", model);
  write_decompressed(directory / "ours.safetensors", read_compact_file(directory / "small.safetensors"));
  const std::string script = PARSIMONY_EXAMPLES "/read_compact.py";
  const std::string command = "python3 " + script + " " + (directory / "small.safetensors").string() + " " +
                              (directory / "theirs.safetensors").string();
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
  const SafetensorsFile ours(directory / "ours.safetensors"), theirs(directory / "theirs.safetensors");
  ASSERT_EQ(ours.tensors().size(), theirs.tensors().size());
  for (const TensorView& tensor : ours.tensors()) {
    const TensorView& other = theirs.at(tensor.name);
    EXPECT_EQ(other.dtype, tensor.dtype) << tensor.name;
    EXPECT_EQ(other.shape, tensor.shape) << tensor.name;
    EXPECT_TRUE(std::equal(tensor.data.begin(), tensor.data.end(), other.data.begin(), other.data.end()))
        << tensor.name;
  }
}

}  // namespace
}  // namespace parsimony::quant
