// A compact file with any of its bytes wrong: an error, or values that are sound; never anything else.
#include <gtest/gtest.h>
#include <zlib.h>

#include "expect_error.hpp"
#include "parsimony/quant/compact_file.hpp"
#include "parsimony/quant/decode.hpp"
#include "quant/compact_models.hpp"
#include "temporary_directory.hpp"

namespace parsimony::quant {
namespace {

std::string small_file(bool deflated = false) {
  RandomModel random(1);
  CompactModel model;
  const auto codebook = random.codebook(5, 4, CodebookType::int8);
  random.add(model, "a.weight",
             random.product({3, 5, 2, 2}, codebook, BlockLayout::input_channels, true, true));
  random.add(model, "b.weight", random.product({2, 9}, codebook, BlockLayout::row));
  for (auto& weight : model.recipe.weights) weight.codebook = "codebook";
  random.add(model, "c.weight", random.integer({3, 3}, 3, true, true), true);
  random.add(model, "e.weight", random.grouped({3, 5, 2}, 3, 3, true, {{1}, {2, 0}}));
  random.add_indexed(model, "f.weight", random.grouped({2, 7}, 4, 4, false, {}));
  random.add(model, "g.weight", random.product({2, 4}, random.scaled_codebook(3, 2), BlockLayout::row));
  random.add_others(model, {other("bias", DType::float32, {3}, DType::float16),
                            other("half", DType::float16, {2}), other("n.weight", DType::float32, {2})});
  random.add_folded(model, "n", 2);
  model.recipe.aliases = {{"d.weight", "c.weight"}};
  model.recipe.deflated = deflated;
  const TemporaryDirectory directory;
  write_compact_file(directory / "a", model);
  return TemporaryDirectory::content(directory / "a");
}

void expect_error_or_values(const std::string& bytes, std::size_t at) {
  try {
    const CompactModel model = read_compact_file(SafetensorsFile(bytes, "a.safetensors"));
    for (std::size_t i = 0; i < model.weights.size(); ++i) {
      std::int64_t size = 1;
      for (const std::int64_t side : model.recipe.weights[i].shape) size *= side;
      ASSERT_EQ(std::ssize(decode(model.weights[i])), size);
    }
    const TemporaryDirectory directory;
    write_compact_file(directory / "again", model);
    verify_compact_file(directory / "again", model);
  } catch (const Error& error) {
    const bool named = std::string(error.what()).find("a.safetensors") != std::string::npos;
    EXPECT_TRUE(named) << "byte " << at << ": " << error.what();
    EXPECT_TRUE(error.code() == ErrorCode::format || error.code() == ErrorCode::unsupported) << "byte " << at;
  }
}

// CRC-32 finds every change of one bit, so that none gives other weights.
TEST(CompactChecksum, EveryFlippedBitOfTheDataIsRefused) {
  for (const bool deflated : {false, true}) {
    const std::string whole = small_file(deflated);
    const std::int64_t begin = SafetensorsFile(whole, "a").header_bytes();
    for (std::size_t bit = 8 * static_cast<std::size_t>(begin); bit < 8 * whole.size(); ++bit) {
      std::string bytes = whole;
      bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
      expect_error(ErrorCode::format, "a.safetensors: its data has the checksum crc32:", [&] {
        read_compact_file(SafetensorsFile(bytes, "a.safetensors"));
      });
    }
  }
}

class CompactCorruption : public ::testing::TestWithParam<bool> {};

TEST_P(CompactCorruption, EveryByteWrong) {
  const std::string whole = small_file(GetParam());
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int change : {0x01, 0x80, 0xFF, 0x10}) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ change);
      expect_error_or_values(bytes, at);
    }
  }
}

TEST_P(CompactCorruption, EveryTruncation) {
  const std::string whole = small_file(GetParam());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    expect_error(ErrorCode::format, "a.safetensors",
                 [&] { read_compact_file(SafetensorsFile(whole.substr(0, size), "a.safetensors")); });
  }
}

INSTANTIATE_TEST_SUITE_P(Headers, CompactCorruption, ::testing::Bool(), [](const auto& deflated) {
  return deflated.param ? std::string("Deflated") : std::string("Plain");
});

// Valid safetensors files whose recipe or tensors are not what the format says.
class Hostile : public ::testing::Test {
 protected:
  struct Tensor {
    std::string name;
    DType dtype;
    std::vector<std::int64_t> shape;
    std::vector<std::uint8_t> bytes;
  };

  static std::vector<std::uint8_t> sides(std::vector<std::int64_t> shape) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(shape.data());
    return {bytes, bytes + shape.size() * 8};
  }
  static std::vector<std::uint8_t> floats(const std::vector<float>& values) {
    return tensor_bytes(values, DType::float32);
  }

  // int4 of 2 × 2 unless changed.
  std::map<std::string, Tensor> tensors_{{"packed", {"a.weight_packed", DType::uint8, {2}, {0x21, 0x43}}},
                                         {"shape", {"a.weight_shape", DType::int64, {2}, sides({2, 2})}},
                                         {"scale", {"a.weight_scale", DType::float32, {1}, floats({0.5f})}},
                                         {"zero_point", {"a.weight_zero_point", DType::uint8, {1}, {1}}}};
  std::string recipe_ = R"({"groups":[{"scheme":"integer","bits":4,"weights":["a.weight"]}]})";
  std::string version_ = "1";

  void product(std::int64_t centroids, std::vector<float> values) {
    const auto block = static_cast<std::int64_t>(values.size()) / centroids;
    tensors_.erase("scale");
    tensors_.erase("zero_point");
    tensors_["codebook"] = {"a.weight_codebook", DType::float32, {centroids, block}, floats(values)};
    recipe_ = R"({"groups":[{"scheme":"product","bits":2,"weights":["a.weight"]}]})";
    tensors_["packed"] = {"a.weight_packed", DType::uint8, {1}, {0b0100}};
  }

  CompactModel read() const {
    const TemporaryDirectory directory;
    std::vector<TensorView> views;
    for (const auto& [key, tensor] : tensors_)
      views.push_back({{tensor.name, tensor.dtype, tensor.shape}, tensor.bytes});
    write_safetensors(directory / "a", views,
                      {{"parsimony.recipe", recipe_}, {"parsimony.format_version", version_}});
    return read_compact_file(SafetensorsFile(TemporaryDirectory::content(directory / "a"), "a.st"));
  }
  void expect_refused(const std::string& piece, ErrorCode code = ErrorCode::format) const {
    expect_error(code, piece, [&] { read(); });
    expect_error(code, "a.st", [&] { read(); });
  }
};

TEST_F(Hostile, TheSoundOnesAreRead) {
  EXPECT_EQ(decode(read().weights.at(0)), (std::vector<float>{0, 0.5f, 1, 1.5f}));
  product(2, {1, 2, 3, 4});
  EXPECT_EQ(decode(read().weights.at(0)), (std::vector<float>{1, 2, 3, 4}));
}

TEST_F(Hostile, WrongCodeWidths) {
  for (const std::string bits :
       {"0", "17", "-4", "9223372036854775807", "18446744073709551615", "4.0", "\"4\"", "null"}) {
    recipe_ = R"({"groups":[{"scheme":"integer","bits":)" + bits + R"(,"weights":["a.weight"]}]})";
    expect_refused("parsimony.recipe");
  }
  for (const std::string bits : {"1", "9"}) {
    recipe_ = R"({"groups":[{"scheme":"integer","bits":)" + bits + R"(,"weights":["a.weight"]}]})";
    expect_refused("'a.weight'");
  }
  recipe_ = R"({"groups":[{"scheme":"integer","bits":5,"weights":["a.weight"]}]})";
  expect_refused("4 codes of 5 bits need 3 bytes, there are 2");
}

TEST_F(Hostile, ShapesThatDoNotFit) {
  for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{4},
                                                 {2, 0},
                                                 {-2, -2},
                                                 {1 << 30, 1 << 30},
                                                 {std::int64_t{1} << 62, 4},
                                                 {3, 2},
                                                 {1, 1, 1, 1, 2, 2}}) {
    tensors_["shape"] = {
        "a.weight_shape", DType::int64, {static_cast<std::int64_t>(shape.size())}, sides(shape)};
    expect_refused("'a.weight'");
  }
  tensors_["shape"] = {"a.weight_shape", DType::int32, {4}, sides({2, 2})};
  expect_refused("'a.weight_shape': has dtype I32");
  tensors_["shape"] = {"a.weight_shape", DType::int64, {1, 2}, sides({2, 2})};
  expect_refused("'a.weight_shape': has 2 dimensions");
}

TEST_F(Hostile, TensorsThatAreMissingOrWrong) {
  for (const auto& [key, tensor] : std::map(tensors_)) {
    tensors_.erase(key);
    expect_refused("there is no tensor '" + tensor.name + "'");
    tensors_[key] = tensor;
  }
  tensors_["scale"].bytes = floats({INFINITY});
  expect_refused("'a.weight_scale'");
  tensors_["scale"].bytes = floats({1});
  tensors_["zero_point"] = {"a.weight_zero_point", DType::uint8, {2}, {1, 1}};
  expect_refused("zero points");
  tensors_["zero_point"] = {"a.weight_zero_point", DType::int16, {1}, {1, 1}};
  expect_refused("I16");
  tensors_["zero_point"] = {"a.weight_zero_point", DType::uint8, {1}, {1}};
  tensors_["again"] = {"a.weight", DType::float32, {1}, floats({1})};
  expect_refused("'a.weight': is there in codes and as floats");
}

TEST_F(Hostile, CodebooksThatDoNotFit) {
  product(2, {1, 2, 3, 4});
  tensors_["packed"].bytes = {0b1000};
  expect_refused("code 1 is 2; there are 2 centroids");
  tensors_["packed"].bytes = {0b10100};
  expect_refused("a bit after the last code is 1");
  product(2, {1, 2, 3, 4, 5, 6});  // for a weight of 2 × 2
  expect_refused("blocks have 3 values; must have at most 2");
  product(5, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  expect_refused("5 centroids; codes of 2 bits have 1 to 4");
  product(2, {1, NAN, 3, 4});
  expect_refused("must be finite");
  product(1, std::vector<float>(4097, 1.0f));
  expect_refused("'a.weight_codebook'");
  tensors_["codebook"] = {"a.weight_codebook", DType::float32, {0, 2}, {}};
  expect_refused("'a.weight_codebook'");
  tensors_["codebook"] = {"a.weight_codebook", DType::int8, {2, 2}, {1, 2, 3, 0x80}};
  expect_refused("'a.weight_codebook_scale'");
  tensors_["codebook_scale"] = {"a.weight_codebook_scale", DType::float32, {1}, floats({1})};
  expect_refused("-128");
  tensors_["codebook_scale"].bytes = floats({-1});
  expect_refused("'a.weight_codebook_scale'");
}

TEST_F(Hostile, PermutationsThatAreNone) {
  product(2, {1, 2, 3, 4});
  recipe_ = R"({"groups":[{"scheme":"product","bits":2,"permuted":true,"weights":["a.weight"]}]})";
  expect_refused("there is no tensor 'a.weight_permutation'");
  for (const std::vector<std::uint8_t>& permutation :
       {std::vector<std::uint8_t>{}, {0}, {0, 0}, {0, 2}, {0, 1, 2}}) {
    tensors_["permutation"] = {
        "a.weight_permutation", DType::uint8, {static_cast<std::int64_t>(permutation.size())}, permutation};
    expect_refused("'a.weight");
  }
}

TEST_F(Hostile, RecipesThatAreNone) {
  for (const std::string recipe :
       {"",
        "[]",
        "1",
        "{",
        "{\"groups\":1}",
        "{\"groups\":{}}",
        "{\"groups\":[1]}",
        "{\"groups\":[[]]}",
        "{\"groups\":[{}]}",
        R"({"groups":[{"scheme":"integer","bits":4,"weights":"a.weight"}]})",
        R"({"groups":[{"scheme":"integer","bits":4,"weights":[1]}]})",
        R"({"groups":[{"scheme":"float","bits":4,"weights":["a.weight"]}]})",
        R"({"groups":[{"scheme":"integer","bits":4,"dtype":"F9","weights":["a.weight"]}]})",
        R"({"groups":[{"scheme":"integer","bits":4,"x":1,"weights":["a.weight"]}]})",
        R"({"groups":[{"scheme":"integer","bits":4,"weights":["a.weight","a.weight"]}]})",
        R"({"aliases":["a"]})",
        R"({"aliases":{"b":1}})",
        R"({"halves":{}})",
        R"({"halves":[1]})",
        R"({"more":1})"}) {
    recipe_ = recipe;
    SCOPED_TRACE(recipe);
    expect_refused("parsimony.recipe");
  }
  recipe_ = std::string(1 << 20, '[');
  expect_refused("parsimony.recipe");
  recipe_ = R"({"aliases":{"b.weight":"c.weight"}})";
  expect_refused("'b.weight': is tied to 'c.weight'");
  recipe_ = R"({"aliases":{"a.weight_packed":"a.weight_shape"}})";
  expect_refused("'a.weight_packed': is tied to another tensor and there itself");
}

TEST_F(Hostile, IntegersWithWhatProductsHave) {
  for (const std::string key :
       {R"("layout":"row")", R"("codebook":"c")", R"("scaled":true)", R"("permuted":false)"}) {
    recipe_ = R"({"groups":[{"scheme":"integer","bits":4,)" + key + R"(,"weights":["a.weight"]}]})";
    expect_refused("a group of integers must not have " + key.substr(1, key.find(':') - 2));
  }
}

TEST_F(Hostile, HalvesThatAreNone) {
  const std::string groups = R"({"groups":[{"scheme":"integer","bits":4,"weights":["a.weight"]}],"halves":)";
  tensors_["half"] = {"half", DType::float16, {1}, {0, 0}};
  tensors_["other"] = {"other", DType::float32, {1}, floats({1})};
  tensors_["scale"] = {"a.weight_scale", DType::float16, {1}, {0, 0x38}};
  recipe_ = groups + R"(["half"]})";
  EXPECT_EQ(read().recipe.others.at(0).dtype, DType::float16);
  for (const std::string name : {"other", "a.weight_scale", "a.weight", "nothing"}) {
    recipe_ = groups + "[\"half\",\"" + name + "\"]}";
    expect_refused("'" + name + "': is listed in halves");
  }
}

TEST_F(Hostile, FoldedBatchNormsThatAreNone) {
  const std::string groups = R"({"groups":[{"scheme":"integer","bits":4,"weights":["a.weight"]}],"folded":)";
  tensors_["norm"] = {"bn.weight", DType::float32, {2}, floats({1, 2})};
  recipe_ = groups + R"(["bn"]})";
  const CompactModel model = read();
  ASSERT_EQ(model.others.size(), 3u);
  EXPECT_EQ(float32_values(model.others[1]), (std::vector<float>{0, 0}));
  EXPECT_EQ(float32_values(model.others[2]), (std::vector<float>{1, 1}));
  EXPECT_EQ(planned_size(model.recipe) > 0, true);
  for (const std::string list : {R"(["a"])", R"([""])", R"(["c"])"}) {
    recipe_ = groups + list + "}";
    expect_refused("is of a folded batch norm; must be there as F32 values");
  }
  for (const std::string list : {R"({"bn":1})", "[1]", "true"}) {
    recipe_ = groups + list + "}";
    expect_refused("is not JSON of the form");
  }
  recipe_ = groups + R"(["bn","bn"]})";
  expect_refused("'bn.running_mean': is of a folded batch norm and there itself");
  tensors_["mean"] = {"bn.running_var", DType::float32, {2}, floats({1, 1})};
  recipe_ = groups + R"(["bn"]})";
  expect_refused("'bn.running_var': is of a folded batch norm and there itself");
  tensors_["norm"] = {"bn.weight", DType::float16, {1}, {0, 0x3C}};
  expect_refused("must be there as F32 values");
}

TEST_F(Hostile, OtherVersionsAndOtherFiles) {
  version_ = "5";
  expect_refused("version '5'", ErrorCode::unsupported);
  version_ = "2";
  expect_refused("must have parsimony.header and parsimony.data of dtype U8");
  const TemporaryDirectory directory;
  write_safetensors(directory / "plain", {});
  expect_error(ErrorCode::format, "is not a compact file", [&] { read_compact_file(directory / "plain"); });
}

// A file with this header, deflated.
CompactModel read_deflated(const std::string& json, std::vector<std::uint8_t> data, std::size_t cut = 0) {
  uLongf size = compressBound(json.size());
  std::vector<std::uint8_t> header(size);
  EXPECT_EQ(::compress(header.data(), &size, reinterpret_cast<const Bytef*>(json.data()), json.size()), Z_OK);
  header.resize(size - cut);
  const TemporaryDirectory directory;
  const std::vector<TensorView> views{{{"parsimony.header", DType::uint8, {std::ssize(header)}}, header},
                                      {{"parsimony.data", DType::uint8, {std::ssize(data)}}, data}};
  write_safetensors(directory / "a", views, {{"parsimony.format_version", "2"}});
  return read_compact_file(SafetensorsFile(TemporaryDirectory::content(directory / "a"), "a.st"));
}

TEST(DeflatedHeader, WhatItSaysIsChecked) {
  const std::string metadata =
      R"("metadata":{"parsimony.format_version":"1","parsimony.recipe":"{\"groups\":[]}"})";
  const auto with = [&](const std::string& tensors) {
    return "{" + metadata + ",\"tensors\":[" + tensors + "]}";
  };
  const auto refused = [&](const std::string& piece, const std::string& json, std::vector<std::uint8_t> data,
                           std::size_t cut = 0) {
    SCOPED_TRACE(json.substr(0, 200));
    expect_error(ErrorCode::format, piece, [&] { read_deflated(json, data, cut); });
    expect_error(ErrorCode::format, "a.st", [&] { read_deflated(json, data, cut); });
  };
  const CompactModel sound =
      read_deflated(with(R"(["a","U8",[2]],["b","I64",[2],[3,4]],["c","U8",[1]])"), {1, 2, 3});
  ASSERT_EQ(sound.others.size(), 3);
  EXPECT_EQ(sound.others[1].data[8], 4);
  EXPECT_EQ(sound.others[2].data[0], 3);
  refused("must be one zlib stream", with(""), {}, 3);
  for (const std::string json : {"", "[]", "{}", "{\"tensors\":[]}", "{\"metadata\":1,\"tensors\":[1]}"}) {
    refused("parsimony.header", json, {});
  }
  refused("lies beyond the data", with(R"(["a","U8",[3]])"), {1, 2});
  refused("lies beyond the data", with(R"(["a","F32",[9223372036854775807]])"), {1, 2});
  refused("lies beyond the data", with(R"(["a","F32",[4294967296,4294967296,2]])"), {1, 2});
  refused("lies beyond the data", with(R"(["a","U8",[-1]])"), {1});
  refused("belongs to no tensor", with(R"(["a","U8",[1]])"), {1, 2});
  refused("there twice", with(R"(["a","U8",[1]],["a","U8",[1]])"), {1, 2});
  refused("there twice", with(R"(["__metadata__","U8",[1]])"), {1});
  refused("is not one of the format", with(R"(["a","U9",[1]])"), {1});
  refused("do not fit its dtype", with(R"(["a","I64",[2],[1]])"), {});
  refused("do not fit its dtype", with(R"(["a","U8",[1],[1]])"), {});
  refused("must be a list", with(R"({"a":1})"), {});
  refused("a deflated file inside a deflated one",
          R"({"metadata":{"parsimony.format_version":"2"},"tensors":[]})", {});
  refused("inflates to more", std::string(101'000'000, ' '), {});
}

}  // namespace
}  // namespace parsimony::quant
