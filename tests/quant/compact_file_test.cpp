#include "parsimony/quant/compact_file.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "expect_error.hpp"
#include "parsimony/quant/decode.hpp"
#include "quant/compact_models.hpp"
#include "resident_memory.hpp"
#include "temporary_directory.hpp"

namespace parsimony::quant {
namespace {

// Written, read back, of the planned size, and decoded to the same bits.
void expect_round_trip_of(const CompactModel& model) {
  const TemporaryDirectory directory;
  const auto path = directory / "a.safetensors";
  write_compact_file(path, model);
  EXPECT_EQ(static_cast<std::int64_t>(std::filesystem::file_size(path)), planned_size(model.recipe));
  verify_compact_file(path, model);
  const CompactModel read = read_compact_file(path);
  ASSERT_EQ(read.weights.size(), model.weights.size());
  for (std::size_t i = 0; i < model.weights.size(); ++i) {
    const QuantizedTensor* weight = read.find_weight(model.recipe.weights[i].name);
    ASSERT_NE(weight, nullptr);
    const std::vector<float> before = decode(model.weights[i]), after = decode(*weight);
    ASSERT_EQ(before.size(), after.size());
    EXPECT_EQ(std::memcmp(before.data(), after.data(), before.size() * sizeof(float)), 0);
    EXPECT_EQ(weight->packed, model.weights[i].packed);
  }
  // A file that was read is written again with the same bytes.
  write_compact_file(directory / "b.safetensors", read);
  EXPECT_EQ(TemporaryDirectory::content(path), TemporaryDirectory::content(directory / "b.safetensors"));
}

// With the header as it is, and deflated.
void expect_round_trip(CompactModel& model) {
  expect_round_trip_of(model);
  model.recipe.deflated = true;
  expect_round_trip_of(model);
  model.recipe.deflated = false;
}

TEST(CompactFile, IntegersOfEveryWidthComeBack) {
  RandomModel random(1);
  for (int bits = 2; bits <= 8; ++bits) {
    CompactModel model;
    random.add(model, "a.weight", random.integer({7, 5}, bits, true));
    random.add(model, "b.weight", random.integer({3, 2, 3, 3}, bits, false));
    random.add(model, "c.weight", random.integer({2, 3, 5}, bits, true, true), true);
    expect_round_trip(model);
  }
}

TEST(CompactFile, ZeroPointsThatAreNoCodesComeBack) {
  RandomModel random(2);
  CompactModel model;
  QuantizedTensor tensor = random.integer({3, 4}, 4, true);
  tensor.zero_point = {-75, 8388607, 3};
  random.add(model, "a.weight", tensor);
  EXPECT_EQ(model.recipe.weights[0].zero_point_dtype, DType::int32);
  expect_round_trip(model);
}

TEST(CompactFile, ProductsOfEveryWidthLayoutAndCodebookComeBack) {
  RandomModel random(3);
  for (const CodebookType type : {CodebookType::float32, CodebookType::float16, CodebookType::int8}) {
    for (const std::int64_t centroids : {1, 2, 3, 17, 256, 257, 1000}) {
      CompactModel model;  // all in one file, since writing one takes long
      const auto add = [&](std::vector<std::int64_t> shape, BlockLayout layout, std::int64_t block) {
        for (const bool extras : {false, true}) {
          random.add(model, "w" + std::to_string(model.weights.size()) + ".weight",
                     random.product(shape, random.codebook(centroids, block, type), layout, extras, extras));
        }
      };
      for (const std::int64_t block : {1, 4, 9}) {
        add({6, 10}, BlockLayout::row, block);
        for (const BlockLayout layout : {BlockLayout::row, BlockLayout::input_channels}) {
          add({4, 10, 3, 3}, layout, block);
        }
      }
      expect_round_trip(model);
    }
  }
}

TEST(CompactFile, ManyChannelsPermuted) {
  RandomModel random(4);
  for (const std::int64_t channels : {256, 257, 32768, 32769}) {
    CompactModel model;
    random.add(model, "a.weight",
               random.product({1, channels}, random.codebook(4, 8, CodebookType::float16), BlockLayout::row,
                              false, true));
    expect_round_trip(model);
  }
}

TEST(CompactFile, ASharedCodebookAndATiedWeightLieThereOnce) {
  RandomModel random(5);
  CompactModel model;
  const auto codebook = random.codebook(64, 8, CodebookType::float32);
  for (const std::string name : {"a.weight", "b.weight", "c.weight"}) {
    random.add(model, name, random.product({4, 16}, codebook, BlockLayout::row));
    model.recipe.weights.back().codebook = "a.weight_codebook";
  }
  model.recipe.aliases = {{"tied.weight", "b.weight"}, {"tied.bias", "x.bias"}};
  random.add_others(model, {other("x.bias", DType::float32, {4})});
  expect_round_trip(model);
  std::int64_t codebooks = 0;
  for (const TensorInfo& tensor : stored_tensors(model.recipe))
    codebooks += tensor.name.find("codebook") != std::string::npos;
  EXPECT_EQ(codebooks, 1);

  const TemporaryDirectory directory;
  write_compact_file(directory / "a", model);
  const CompactModel read = read_compact_file(directory / "a");
  EXPECT_EQ(read.weights[0].codebook, read.weights[2].codebook);
  EXPECT_EQ(read.find_weight("tied.weight"), read.find_weight("b.weight"));
  write_dequantized(directory / "floats", read);
  const SafetensorsFile floats(directory / "floats");
  EXPECT_EQ(float32_values(floats.at("tied.weight")), decode(model.weights[1]));
  EXPECT_EQ(float32_values(floats.at("tied.bias")), float32_values(floats.at("x.bias")));
}

TEST(CompactFile, OtherTensorsKeepNamesAndDtypes) {
  RandomModel random(6);
  CompactModel model;
  random.add(model, "a.weight", random.integer({4, 4}, 8, true));
  model.recipe.weights[0].dtype = DType::bfloat16;
  model.recipe.weights[0].kind = "linear";
  model.recipe.metadata = {{"source", "here"}};
  random.add_others(model, {other("bn.running_mean", DType::float32, {5}),
                            other("bn.running_var", DType::float32, {5}, DType::float16),
                            other("was.half", DType::float16, {3}), other("ids", DType::int64, {2, 2}),
                            other("mask", DType::boolean, {7}), other("empty", DType::float32, {0, 3}),
                            other("scalar", DType::float64, {})});
  expect_round_trip(model);
  const TemporaryDirectory directory;
  write_compact_file(directory / "a", model);
  const SafetensorsFile file(directory / "a");
  EXPECT_EQ(file.at("bn.running_mean").dtype, DType::float32);
  EXPECT_EQ(file.at("bn.running_var").dtype, DType::float16);
  EXPECT_EQ(file.metadata().at("source"), "here");
  EXPECT_EQ(file.metadata().at("format"), "pt");
  const CompactModel read = read_compact_file(file);
  EXPECT_EQ(read.recipe.weights[0].kind, "linear");
  write_dequantized(directory / "floats", read);
  const SafetensorsFile floats(directory / "floats");
  EXPECT_EQ(floats.at("a.weight").dtype, DType::bfloat16);
  EXPECT_EQ(floats.at("bn.running_var").dtype, DType::float32);
  EXPECT_EQ(floats.at("was.half").dtype, DType::float16);
  EXPECT_EQ(floats.metadata().at("source"), "here");
  EXPECT_FALSE(floats.metadata().contains("parsimony.recipe"));
  for (const TensorView& tensor : model.others) {
    const TensorView& out = floats.at(tensor.name);
    EXPECT_EQ(out.shape, tensor.shape);
    if (tensor.name == "bn.running_var") continue;  // rounded
    EXPECT_TRUE(std::equal(out.data.begin(), out.data.end(), tensor.data.begin(), tensor.data.end()))
        << tensor.name;
  }
}

TEST(CompactFile, AWriterHoldsADeflatedFileOnceAtATime) {
  if (!testing::restart_peak()) GTEST_SKIP() << "resident memory is not ours";
  constexpr std::int64_t kBytes = std::int64_t{1} << 26;
  const std::vector<std::uint8_t> bytes(kBytes, 7);
  const TensorInfo info{"a", DType::uint8, {kBytes}};
  CompactModel model;
  model.recipe.others.push_back({info, info.dtype});
  model.recipe.deflated = true;
  model.others.push_back({info, bytes});
  const TemporaryDirectory directory;
  const std::int64_t before = testing::resident("VmRSS");
  testing::restart_peak();
  write_compact_file(directory / "a", model);
  // First the bytes to write, then those read back; the pages of the mapped file count too.
  EXPECT_LT(testing::resident("VmHWM") - before, 5 * kBytes / 2);
}

TEST(CompactFile, WhatDecodesToMoreThanTheMemoryIsRefusedBeforeItIsDecoded) {
  const TemporaryDirectory directory;
  RandomModel random(8);
  CompactModel model;
  QuantizedTensor tensor;  // 32 MiB of codes for 4 TiB of values
  tensor.scheme = Scheme::product;
  tensor.shape = {1 << 20, 1 << 20};
  tensor.bits = 1;
  tensor.codebook = random.codebook(2, 4096, CodebookType::float32);
  tensor.packed.own().resize(std::size_t{1} << 25);
  random.add(model, "a.weight", std::move(tensor));
  write_safetensors(directory / "empty", {});
  model.storage.emplace_back(TemporaryDirectory::content(directory / "empty"), "small.safetensors");
  std::filesystem::remove(directory / "empty");
  expect_error(ErrorCode::unsupported, "small.safetensors: tensor 'a.weight': decoding it takes 8796.1 GB",
               [&] { write_dequantized(directory / "a", model); });
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

TEST(CompactFile, WhatTheFileCannotHoldIsRefusedBeforeItIsWritten) {
  const TemporaryDirectory directory;
  RandomModel random(7);
  const auto refused = [&](const std::string& piece, const CompactModel& model) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { write_compact_file(directory / "a", model); });
    EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
  };
  CompactModel integers;
  random.add(integers, "a.weight", random.integer({3, 4}, 4, true));
  CompactModel wrong = integers;
  wrong.recipe.weights[0].scale_dtype = DType::float16;
  refused("float16 does not hold", wrong);
  wrong = integers;
  wrong.weights[0].zero_point[1] = 256;
  refused("'a.weight_zero_point': 256", wrong);
  wrong = integers;
  wrong.weights[0].packed.own().pop_back();
  refused("need 6 bytes, there are 5", wrong);
  wrong = integers;
  wrong.weights[0].bits = 5;
  refused("'a.weight'", wrong);
  wrong = integers;
  wrong.weights[0].scale[2] = NAN;
  refused("must be finite", wrong);
  wrong = integers;
  wrong.recipe.aliases = {{"b.weight", "c.weight"}};
  refused("'b.weight'", wrong);
  wrong = integers;
  random.add_others(wrong, {other("a.weight_packed", DType::float32, {1})});
  refused("'a.weight_packed' is there twice", wrong);
  wrong = integers;
  wrong.weights.pop_back();
  refused("recipe: names 1 weight and", wrong);

  CompactModel product;
  auto codebook = std::make_shared<Codebook>(*random.codebook(3, 4, CodebookType::float16));
  random.add(product, "a.weight", random.product({4, 8}, codebook, BlockLayout::row));
  wrong = product;
  wrong.weights[0].packed.own()[0] |= 3;
  refused("there are 3 centroids", wrong);
  wrong = product;
  codebook->centroids(1, 2) = 1e-3f;
  refused("'a.weight_codebook': holds 0.001, which float16 does not hold exactly", wrong);
  wrong.recipe.weights[0].codebook_type = codebook->type = CodebookType::int8;
  codebook->scales = {0.01f};
  refused("must be a multiple", wrong);

  CompactModel long_blocks;
  random.add(
      long_blocks, "a.weight",
      random.product({4, 3, 5}, random.codebook(3, 4, CodebookType::float16), BlockLayout::input_channels));
  refused("'a.weight': blocks have 4 values; must have at most 3", long_blocks);
}

TEST(CompactFile, DequantizesIntoShards) {
  const TemporaryDirectory directory;
  RandomModel random(7);
  CompactModel model;
  for (const char* name : {"c.weight", "a.weight", "b.weight"}) {
    random.add(model, name, random.integer({20, 30}, 8, true));
  }
  random.add_others(model, {other("x.bias", DType::float32, {40}, DType::float32)});
  model.recipe.aliases = {{"tied.weight", "b.weight"}};
  write_compact_file(directory / "c", model);
  dequantize(directory / "c", directory / "whole");
  const SafetensorsFile whole(directory / "whole");
  for (const std::int64_t size : {1, 5000, 1000000000}) {
    const auto index = directory / "m.safetensors.index.json";
    dequantize(directory / "c", index, Context{}, {.shard_size = size});
    const SafetensorsFile sharded(index);
    ASSERT_EQ(sharded.tensors().size(), whole.tensors().size());
    for (const TensorView& tensor : whole.tensors()) {
      const TensorView& other = sharded.at(tensor.name);
      EXPECT_TRUE(std::equal(tensor.data.begin(), tensor.data.end(), other.data.begin(), other.data.end()));
    }
    const std::size_t shards = sharded.paths().size() - 1;
    EXPECT_TRUE(size == 1      ? shards == whole.tensors().size()
                : size == 5000 ? shards > 1
                               : shards == 1)
        << shards;
  }
}

}  // namespace
}  // namespace parsimony::quant
