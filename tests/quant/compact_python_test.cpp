// Compact files as the Python package of the format, and a reader that knows the specification alone, see
// them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "parsimony/quant/compact_file.hpp"
#include "places.hpp"
#include "quant/compact_models.hpp"
#include "temporary_directory.hpp"

namespace parsimony::quant {
namespace {

// PARSIMONY_PYTHON, that of build/venv, or what there is.
std::string python() {
  if (const char* chosen = std::getenv("PARSIMONY_PYTHON")) return chosen;
  const std::filesystem::path venv = places::source_folder() / "build/venv/bin/python";
  return std::filesystem::exists(venv) ? venv.string() : "python3";
}

bool succeeds(const std::string& command) {
  return std::system(command.c_str()) == 0;
}

// Everything that a compact file can hold.
CompactModel model_of_everything(RandomModel& random) {
  CompactModel model;
  const auto shared = random.codebook(37, 4, CodebookType::int8);
  random.add(model, "a.weight", random.integer({5, 7}, 3, true));
  random.add(model, "b.weight", random.integer({5, 3, 3, 3}, 8, false, true), true);
  random.add(model, "c.weight", random.product({6, 10}, shared, BlockLayout::row, true, true));
  random.add(model, "d.weight",
             random.product({4, 6, 3, 3}, shared, BlockLayout::input_channels, false, true));
  model.recipe.weights[2].codebook = model.recipe.weights[3].codebook = "shared";
  random.add(model, "e.weight",
             random.product({4, 4, 5}, random.codebook(300, 3, CodebookType::float16),
                            BlockLayout::input_channels, true));
  random.add(model, "f.weight",
             random.product({4, 3, 3, 3}, random.codebook(1, 9, CodebookType::float32), BlockLayout::row,
                            false, true));
  random.add(model, "g.weight", random.grouped({5, 14}, 4, 4, false, {}));
  random.add_indexed(model, "h.weight", random.grouped({3, 6, 4}, 3, 3, false, {{0, 1}, {2}}));
  random.add_indexed(model, "i.weight", random.grouped({2, 3, 5, 6}, 4, 7, true, {{3}, {2, 0, 1}}));
  random.add(model, "j.weight", random.grouped({4, 6}, 2, 3, true, {{1}, {0}}), true);
  random.add(model, "k.weight", random.product({6, 5, 2, 2}, random.scaled_codebook(9, 4), BlockLayout::row));
  model.recipe.weights.back().axes = model.weights.back().axes = {{1}, {0, 2, 3}};
  model.weights.back().packed = random.codes(5 * 6, 4, 9);
  random.add_others(
      model, {other("bias", DType::float32, {4}, DType::float16), other("half", DType::float16, {3}),
              other("ids", DType::int64, {2}), other("steps", DType::int64, {}),
              other("brain", DType::bfloat16, {2, 3}), other("rate", DType::float32, {}, DType::float16),
              other("norm.weight", DType::float32, {5}, DType::float16)});
  random.add_folded(model, "norm", 5);
  model.recipe.aliases = {{"tied.weight", "d.weight"}, {"tied.steps", "steps"}};
  model.recipe.metadata = {{"source", "here"}};
  return model;
}

TEST(CompactPython, AReaderOfTheSpecificationHasTheSameBits) {
  if (!succeeds(python() + " -c 'import numpy' >/dev/null 2>&1")) GTEST_SKIP() << python() << " has no numpy";
  RandomModel random(1);
  CompactModel model = model_of_everything(random);
  for (const bool deflated : {false, true}) {
    const TemporaryDirectory directory;
    model.recipe.deflated = deflated;
    write_compact_file(directory / "small.safetensors", model);
    write_dequantized(directory / "ours.safetensors", read_compact_file(directory / "small.safetensors"));
    const std::string script = (places::source_folder() / "examples/read_compact.py").string();
    const std::string command = python() + " " + script + " " + (directory / "small.safetensors").string() +
                                " " + (directory / "theirs.safetensors").string();
    ASSERT_TRUE(succeeds(command)) << command;
    const SafetensorsFile ours(directory / "ours.safetensors"), theirs(directory / "theirs.safetensors");
    EXPECT_EQ(ours.metadata(), theirs.metadata());
    ASSERT_EQ(ours.tensors().size(), theirs.tensors().size());
    for (const TensorView& tensor : ours.tensors()) {
      const TensorView& other = theirs.at(tensor.name);
      EXPECT_EQ(other.dtype, tensor.dtype) << tensor.name;
      EXPECT_EQ(other.shape, tensor.shape) << tensor.name;
      EXPECT_TRUE(std::equal(tensor.data.begin(), tensor.data.end(), other.data.begin(), other.data.end()))
          << tensor.name;
    }
    std::string flipped = TemporaryDirectory::content(directory / "small.safetensors");
    flipped[flipped.size() - 5] = static_cast<char>(flipped[flipped.size() - 5] ^ 4);
    directory.file("flipped", flipped);
    EXPECT_FALSE(succeeds(python() + " " + script + " " + (directory / "flipped").string() + " " +
                          (directory / "none").string() + " 2>/dev/null"));
    // A model that is in no codes.
    const std::string plain = python() + " " + script + " " + (directory / "ours.safetensors").string() +
                              " " + (directory / "none").string() + " 2>" + (directory / "said").string();
    EXPECT_FALSE(succeeds(plain));
    EXPECT_EQ(TemporaryDirectory::content(directory / "said"),
              (directory / "ours.safetensors").string() +
                  ": no compact file: its metadata has no parsimony.recipe\n");
  }
}

TEST(CompactPython, ThePackageOfTheFormatOpensTheFile) {
  if (!succeeds(python() + " -c 'import numpy, safetensors' >/dev/null 2>&1")) {
    GTEST_SKIP() << python() << " has no numpy or no safetensors";
  }
  RandomModel random(2);
  const CompactModel model = model_of_everything(random);
  const TemporaryDirectory directory;
  const std::string path = (directory / "small.safetensors").string();
  write_compact_file(path, model);
  const std::string script =
      "import sys, safetensors; file = safetensors.safe_open(sys.argv[1], 'numpy'); "
      "print(file.metadata()['source'], file.get_slice('steps').get_shape(), *sorted(file.keys()))";
  const std::string said = (directory / "said").string();
  ASSERT_TRUE(succeeds(python() + " -c \"" + script + "\" " + path + " >" + said));
  std::string expected = "here []";
  const SafetensorsFile file(path);
  for (const TensorView& tensor : file.tensors()) expected += " " + tensor.name;
  EXPECT_EQ(TemporaryDirectory::content(said), expected + "\n");
}

}  // namespace
}  // namespace parsimony::quant
