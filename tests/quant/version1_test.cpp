// Compact files of version 1, written by parsimony 0.1.0: every later one must read them with these values.
#include <algorithm>

#include "parsimony/quant/decode.hpp"
#include "places.hpp"
#include "quant/version1_model.hpp"
#include "temporary_directory.hpp"

namespace parsimony::quant {
namespace {

std::filesystem::path committed(const std::string& name) {
  return places::source_folder() / "tests/formats/v1" / name;
}

// As in make_inputs.py: values that the codes of each file hold exactly.
std::vector<float> grid(int outputs, int columns, int bits) {
  std::vector<float> values;
  for (int o = 0; o < outputs; ++o) {
    for (int i = 0; i < columns; ++i) {
      values.push_back(static_cast<float>((5 * i + 3 * o) % (1 << bits) - (1 << (bits - 1))) / 64);
    }
  }
  return values;
}

std::vector<float> blocks(int outputs, int columns, int size) {
  std::vector<float> values;
  for (int o = 0; o < outputs; ++o) {
    for (int i = 0; i < columns; ++i) {
      const int which = (3 * o + (i / size) * (i / size)) % 8;
      const int level = which == 0 ? 127 : (29 * which + 17 * (i % size) * (which + 1)) % 255 - 127;
      values.push_back(static_cast<float>(level) / 64);
    }
  }
  return values;
}

void expect_bias(const CompactModel& model, std::size_t count) {
  ASSERT_EQ(model.others.size(), 1u);
  EXPECT_EQ(model.recipe.others[0].dtype, DType::float32);
  const std::vector<float> bias = float32_values(model.others[0]);
  ASSERT_EQ(bias.size(), count);
  for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(bias[i], static_cast<float>(i) / 4);
}

TEST(CompactVersion1, IntegersHaveTheirValues) {
  for (const int bits : {8, 4, 3, 2}) {
    SCOPED_TRACE(bits);
    const CompactModel model = read_compact_file(committed("int" + std::to_string(bits) + ".safetensors"));
    const QuantizedTensor* weight = model.find_weight("a.weight");
    ASSERT_NE(weight, nullptr);
    EXPECT_EQ(weight->bits, bits);
    EXPECT_EQ(decode(*weight), grid(8, bits == 8 ? 256 : 64, bits));
    EXPECT_EQ(model.find_weight("tied.weight"), bits == 8 ? weight : nullptr);
    EXPECT_EQ(model.recipe.deflated, bits == 3);
    EXPECT_EQ(model.recipe.weights[0].scale_dtype, bits == 4 ? DType::float16 : DType::float32);
    expect_bias(model, 8);
  }
}

TEST(CompactVersion1, ProductsHaveTheirValues) {
  for (const CodebookType type : {CodebookType::float16, CodebookType::float32}) {
    const CompactModel model =
        read_compact_file(committed("pq_" + std::string(enum_name(type)) + ".safetensors"));
    ASSERT_EQ(model.weights.size(), 1u);
    EXPECT_EQ(model.weights[0].codebook->type, type);
    EXPECT_EQ(decode(model.weights[0]), blocks(32, 64, 8));
    expect_bias(model, 32);
  }
  // Blocks lie along the 16 channels at each of 4 positions.
  const CompactModel model = read_compact_file(committed("pq_int8.safetensors"));
  ASSERT_EQ(model.weights.size(), 1u);
  EXPECT_EQ(model.weights[0].layout, BlockLayout::input_channels);
  EXPECT_EQ(model.weights[0].codebook->type, CodebookType::int8);
  const std::vector<float> found = decode(model.weights[0]), expected = blocks(32, 64, 4);
  ASSERT_EQ(found.size(), expected.size());
  for (int o = 0; o < 32; ++o) {
    for (int channel = 0; channel < 16; ++channel) {
      for (int position = 0; position < 4; ++position) {
        EXPECT_EQ(found[64 * o + 4 * channel + position], expected[64 * o + 16 * position + channel]);
      }
    }
  }
}

TEST(CompactVersion1, SharedCodebooksFactorsPermutationsAndHalvesAreRead) {
  const Version1Model expected;
  verify_compact_file(committed("layers.safetensors"), expected.model);
  const CompactModel model = read_compact_file(committed("layers.safetensors"));
  ASSERT_EQ(model.weights.size(), 3u);
  EXPECT_EQ(model.weights[0].codebook, model.weights[1].codebook);
  EXPECT_EQ(model.recipe.weights[0].dtype, DType::bfloat16);
  EXPECT_EQ(model.recipe.weights[0].kind, "linear");
  EXPECT_EQ(model.recipe.metadata.at("architecture"), "none");
  EXPECT_EQ(decode(*model.find_weight("d.weight"))[1], (7 - 300) * 0.25f);
  ASSERT_EQ(model.recipe.others.size(), 2u);
  for (const OtherRecipe& other : model.recipe.others) {
    EXPECT_EQ(other.stored_dtype, DType::float16);
    EXPECT_EQ(other.dtype, other.name == "halves" ? DType::float16 : DType::float32);
  }
}

TEST(CompactVersion1, ThePresentWriterMakesTheSameTensors) {
  const TemporaryDirectory directory;
  write_compact_file(directory / "new", Version1Model().model);
  const SafetensorsFile before(committed("layers.safetensors")), now(directory / "new");
  ASSERT_EQ(now.tensors().size(), before.tensors().size());
  for (const TensorView& tensor : before.tensors()) {
    EXPECT_TRUE(std::ranges::equal(now.at(tensor.name).data, tensor.data)) << tensor.name;
  }
}

}  // namespace
}  // namespace parsimony::quant
