#include "parsimony/core/safetensors.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <optional>

#include "expect_error.hpp"
#include "parsimony/core/memory.hpp"
#include "temporary_directory.hpp"

namespace parsimony::safetensors_test {
namespace {

std::string file_of(const std::string& json, const std::string& data = "") {
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>(json.size() >> (8 * i) & 0xff);
  return out + json + data;
}

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":")" + dtype + R"(","shape":[)" + shape + R"(],"data_offsets":[)" + offsets + "]}";
}

template <class T>
std::span<const std::uint8_t> bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(T)};
}

std::vector<std::uint8_t> copy_of(const TensorView& tensor) {
  return {tensor.data.begin(), tensor.data.end()};
}

TEST(Safetensors, RoundTripsEveryDtypeAndShape) {
  const TemporaryDirectory directory;
  std::vector<std::vector<std::uint8_t>> data;
  std::vector<TensorView> tensors;
  const std::vector<std::vector<std::int64_t>> shapes{{}, {0}, {4}, {2, 2, 2}, {3, 0, 5}, {4, 1, 1, 1, 1, 3}};
  std::mt19937 random(1);
  data.reserve(names_of(DType{}).size() * shapes.size());
  for (const auto& [dtype, name] : names_of(DType{})) {
    for (const auto& shape : shapes) {
      TensorView tensor{{std::string(name) + std::to_string(data.size()) + " \"\\\n\x7Fé", dtype, shape}, {}};
      if (shape.empty() && bits_of(dtype) < 8) continue;  // no whole byte
      data.emplace_back(static_cast<std::size_t>(tensor.bytes()));
      for (auto& byte : data.back()) byte = static_cast<std::uint8_t>(random());
      tensor.data = data.back();
      tensors.push_back(tensor);
    }
  }
  const TensorMetadata metadata{{"note", "a \"quoted\" \n text"}};
  write_safetensors(directory / "a.safetensors", tensors, metadata);
  const SafetensorsFile file(directory / "a.safetensors");
  ASSERT_EQ(file.tensors().size(), tensors.size());
  for (const TensorView& tensor : tensors) {
    const TensorView& read = file.at(tensor.name);
    EXPECT_EQ(read.dtype, tensor.dtype);
    EXPECT_EQ(read.shape, tensor.shape);
    EXPECT_EQ(copy_of(read), copy_of(tensor)) << tensor.name;
  }
  EXPECT_EQ(file.metadata(), (TensorMetadata{{"format", "pt"}, {"note", "a \"quoted\" \n text"}}));
  const std::vector<TensorInfo> infos(tensors.begin(), tensors.end());
  EXPECT_EQ(safetensors_size(infos, metadata), file.size());
  EXPECT_EQ(static_cast<std::uintmax_t>(file.size()),
            std::filesystem::file_size(directory / "a.safetensors"));
  EXPECT_EQ(file.header_bytes() % 8, 0);
}

TEST(Safetensors, LiesAsTheReferenceWriterPutsIt) {
  // By rank of the dtype from the widest on, then by name; each offset is a multiple of its alignment.
  const TemporaryDirectory directory;
  const std::vector<std::uint8_t> zeros(64);
  const auto tensor = [&](std::string name, DType dtype) {
    return TensorView{{std::move(name), dtype, {1}},
                      std::span(zeros).first(static_cast<std::size_t>(bits_of(dtype) / 8))};
  };
  write_safetensors(directory / "a", std::vector{tensor("z", DType::uint8), tensor("b", DType::float32),
                                                 tensor("a", DType::float32), tensor("m", DType::int64),
                                                 tensor("h", DType::float16)});
  const std::string bytes = TemporaryDirectory::content(directory / "a");
  EXPECT_EQ(
      bytes.substr(8, bytes.find_last_of('}') - 7),
      R"({"__metadata__":{"format":"pt"},"m":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},)"
      R"("a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]},)"
      R"("h":{"dtype":"F16","shape":[1],"data_offsets":[16,18]},"z":{"dtype":"U8","shape":[1],"data_offsets":[18,19]}})");
  EXPECT_EQ((bytes.size() - 19) % 8, 0u);
}

TEST(Safetensors, AViewLivesAsLongAsACopyOfItsFile) {
  const TemporaryDirectory directory;
  const auto path = directory.file("a", file_of("{\"t\":" + entry("U8", "3", "0,3") + "}", "abc"));
  std::optional<SafetensorsFile> file(path);
  const SafetensorsFile copy = *file;
  const TensorView* view = copy.find("t");
  file.reset();
  std::filesystem::remove(path);
  ASSERT_NE(view, nullptr);
  EXPECT_EQ(copy_of(*view), (std::vector<std::uint8_t>{'a', 'b', 'c'}));
  EXPECT_EQ(copy.find("u"), nullptr);
  expect_error(ErrorCode::format, "no tensor 'u'", [&] { copy.at("u"); });
}

TEST(Safetensors, CompressedFilesAreReadWhole) {
  const TemporaryDirectory directory;
  const std::vector<float> values{1, -2, 3};
  const std::vector<TensorView> tensors{{{"x", DType::float32, {3}}, bytes_of(values)}};
  for (const std::string name : {"a.safetensors", "a.safetensors.gz", "a.safetensors.zst"}) {
    write_safetensors(directory / name, tensors);
    EXPECT_EQ(float32_values(SafetensorsFile(directory / name).at("x")), values) << name;
  }
}

TEST(Safetensors, HostileFilesAreErrors) {
  const auto parse = [](const std::string& bytes) { return [bytes] { SafetensorsFile(bytes, "a.st"); }; };
  const auto header = [&](const std::string& json, const std::string& data = "12345678") {
    return parse(file_of(json, data));
  };
  const auto tensor = [&](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return header("{\"t\":" + entry(dtype, shape, offsets) + "}");
  };
  const std::string rest = file_of("{}").substr(8);
  const auto length = [&](std::uint64_t value) {
    return parse(std::string(reinterpret_cast<const char*>(&value), 8) + rest);
  };
  expect_error(ErrorCode::format, "begins with the length", parse("1234567"));
  expect_error(ErrorCode::format, "above", length(~std::uint64_t{0}));
  expect_error(ErrorCode::format, "above", length((std::uint64_t{1} << 63) - 1));
  expect_error(ErrorCode::format, "above", length(std::uint64_t{1} << 63));
  expect_error(ErrorCode::format, "above", length(~std::uint64_t{0} - 7));
  expect_error(ErrorCode::format, "truncated", length(3));
  expect_error(ErrorCode::format, "begin with {", length(0));
  expect_error(ErrorCode::format, "begin with {", header("x{}"));
  expect_error(ErrorCode::format, "JSON", header("{"));
  expect_error(ErrorCode::format, "JSON", header("{}{}"));
  expect_error(ErrorCode::format, "JSON", header("{\"\xff\":1}"));
  expect_error(ErrorCode::format, "'t': a number", header("{\"t\":1}"));
  expect_error(ErrorCode::format, "'t': a list", header("{\"t\":[]}"));
  expect_error(ErrorCode::format, "must all be there", header("{\"t\":{}}"));
  // Nesting: refused at the first level that the format does not have.
  expect_error(ErrorCode::format, "'t'", header("{\"t\":{\"a\":" + std::string(1 << 20, '[')));
  expect_error(ErrorCode::format, "shape", header("{\"t\":{\"shape\":[" + std::string(1 << 20, '[')));
  std::string objects;
  for (int i = 0; i < 1 << 18; ++i) objects += "{\"a\":";
  expect_error(ErrorCode::format, "'a'", header(objects));
  // Metadata.
  expect_error(ErrorCode::format, "where a text should be", header(R"({"__metadata__":{"a":1}})"));
  expect_error(ErrorCode::format, "where a text should be", header(R"({"__metadata__":{"a":null}})"));
  expect_error(ErrorCode::format, "where a text should be", header(R"({"__metadata__":{"a":{}}})"));
  expect_error(ErrorCode::format, "where an object should be", header(R"({"__metadata__":"pt"})"));
  expect_error(ErrorCode::format, "'a' is twice", header(R"({"__metadata__":{"a":"1","a":"2"}})"));
  expect_error(ErrorCode::format, "__metadata__ is there twice",
               header(R"({"__metadata__":{},"__metadata__":{}})"));
  // One tensor.
  expect_error(ErrorCode::format, "'t': its dtype 'F33'", tensor("F33", "2", "0,8"));
  expect_error(ErrorCode::format, "'t': its bytes 0 to 16 lie beyond", tensor("F32", "4", "0,16"));
  expect_error(ErrorCode::format, "beyond", tensor("F32", "4", "0,9223372036854775807"));
  expect_error(ErrorCode::format, "beyond", tensor("F32", "4", "18446744073709551608,18446744073709551615"));
  expect_error(ErrorCode::format, "64-bit integer", tensor("F32", "4", "0,18446744073709551616"));
  expect_error(ErrorCode::format, "end before", tensor("F32", "2", "8,0"));
  expect_error(ErrorCode::format, "-1", tensor("F32", "2", "-1,8"));
  expect_error(ErrorCode::format, "two numbers", tensor("F32", "2", "0"));
  expect_error(ErrorCode::format, "two numbers", tensor("F32", "2", "0,8,8"));
  expect_error(ErrorCode::format, "need 12 bytes, there are 8", tensor("F32", "3", "0,8"));
  expect_error(ErrorCode::format, "not a whole number", tensor("F32", "4294967296,4294967296", "0,8"));
  expect_error(ErrorCode::format, "not a whole number",
               tensor("U8", "9223372036854775807,9223372036854775807,9", "0,8"));
  expect_error(ErrorCode::format, "need 0 bytes",
               tensor("U8", "9223372036854775807,9223372036854775807,0", "0,8"));
  expect_error(ErrorCode::format, "too long", tensor("U8", "18446744073709551615", "0,8"));
  expect_error(ErrorCode::format, "64-bit integer", tensor("U8", "8.0", "0,8"));
  expect_error(ErrorCode::format, "not a whole number", tensor("F4", "15", "0,8"));
  std::string sides = "8";
  for (int i = 0; i < 64; ++i) sides += ",1";
  expect_error(ErrorCode::format, "more than 64 dimensions", tensor("U8", sides, "0,8"));
  expect_error(ErrorCode::format, "shape is there twice",
               header(R"({"t":{"dtype":"U8","shape":[8],"shape":[8],"data_offsets":[0,8]}})"));
  expect_error(ErrorCode::format, "nothing else", header(R"({"t":{"dtype":"U8","shape":[8],"strides":1}})"));
  // Several.
  const auto two = [&](const std::string& first, const std::string& second, const std::string& name = "b") {
    return header("{\"a\":" + entry("U8", "4", first) + ",\"" + name + "\":" + entry("U8", "4", second) +
                  "}");
  };
  SafetensorsFile(
      file_of("{\"a\":" + entry("U8", "4", "4,8") + ",\"b\":" + entry("U8", "4", "0,4") + "}", "12345678"),
      "sound");
  expect_error(ErrorCode::format, "overlap", two("0,4", "2,6"));
  expect_error(ErrorCode::format, "overlap", two("0,4", "0,4"));
  expect_error(ErrorCode::format, "bytes of no tensor", two("0,4", "5,8"));
  expect_error(ErrorCode::format, "'b': before", header("{\"b\":" + entry("U8", "4", "4,8") + "}"));
  expect_error(ErrorCode::format, "last 4 bytes", header("{\"a\":" + entry("U8", "4", "0,4") + "}"));
  expect_error(ErrorCode::format, "'a' is there twice", two("0,4", "4,8", "a"));
  expect_error(ErrorCode::format, "'a' is there twice", two("0,4", "4,8", "\\u0061"));
  // A name in a message is short and harmless.
  expect_error(ErrorCode::format, "'?[2Jaaaa", header("{\"\\u001b[2J" + std::string(1 << 16, 'a') + "\":1}"));
}

// The estimate is refused before the header is read, and bounds the memory that the tensors take.
TEST(Safetensors, TheMemoryOfTheHeaderIsAskedForBeforeItIsTaken) {
  const TemporaryDirectory directory;
  const auto path = directory / "many.safetensors";
  {
    const std::uint8_t value = 0;
    std::vector<TensorView> tensors;
    for (int i = 0; i < 40000; ++i) {
      tensors.push_back(
          {{"blocks." + std::to_string(i) + ".attention.weight", DType::uint8, {1, 1, 1}}, {&value, 1}});
    }
    write_safetensors(path, tensors);
  }
  Context context(1);
  const std::int64_t before = memory_in_use();
  const SafetensorsFile file(path, context);
#ifndef PARSIMONY_SANITIZED  // a sanitizer's memory counts too
  EXPECT_GE(context.memory_estimate() - before, memory_in_use() - before);
#endif
  EXPECT_LE(context.memory_estimate() - before, 5 * file.header_bytes()) << "not far above it";
  context.memory.bytes = memory_in_use() + file.header_bytes() / 2;
  expect_error(ErrorCode::memory_limit, "reading the header of " + path.string() + " needs about ",
               [&] { SafetensorsFile(path, context); });
  context.memory.bytes = memory_in_use() + 5 * file.header_bytes();
  EXPECT_EQ(SafetensorsFile(path, context).tensors().size(), file.tensors().size());
}

TEST(Safetensors, ParsingTheHeaderIsCancelled) {
  const TemporaryDirectory directory;
  const std::vector<float> values(4);
  const TensorView tensor{{"a", DType::float32, {4}},
                          {reinterpret_cast<const std::uint8_t*>(values.data()), 16}};
  write_safetensors(directory / "a.safetensors", std::span(&tensor, 1));
  std::stop_source source;
  Context context(1);
  context.stop = source.get_token();
  EXPECT_EQ(SafetensorsFile(directory / "a.safetensors", context).tensors().size(), 1u);
  source.request_stop();
  expect_error(ErrorCode::cancelled, "cancelled",
               [&] { SafetensorsFile(directory / "a.safetensors", context); });
}

TEST(Safetensors, EveryTruncationIsAnError) {
  const TemporaryDirectory directory;
  const std::vector<float> values{1, 2, 3};
  write_safetensors(directory / "a", std::vector<TensorView>{{{"x", DType::float32, {3}}, bytes_of(values)}});
  const std::string whole = TemporaryDirectory::content(directory / "a");
  SafetensorsFile(whole, "a");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    expect_error(ErrorCode::format, "a.st", [&] { SafetensorsFile(whole.substr(0, size), "a.st"); });
  }
}

TEST(Safetensors, BytesAreAskedForInTheOrderOfTheFileAndNotKept) {
  const TemporaryDirectory directory;
  const std::vector<std::uint8_t> bytes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const std::span<const std::uint8_t> all(bytes);
  const std::vector<TensorView> views{{{"a", DType::uint8, {4}}, all.subspan(0, 4)},
                                      {{"c", DType::float32, {1}}, all.subspan(4, 4)},
                                      {{"b", DType::float32, {1}}, all.subspan(8, 4)}};
  write_safetensors(directory / "whole", views);
  const std::vector<TensorInfo> infos(views.begin(), views.end());
  std::vector<std::size_t> asked;
  std::vector<std::uint8_t> buffer;
  const auto next = [&](std::size_t i) -> std::span<const std::uint8_t> {
    asked.push_back(i);
    std::fill(buffer.begin(), buffer.end(), std::uint8_t{0xFF});
    buffer.assign(views[i].data.begin(), views[i].data.end());
    return buffer;
  };
  write_safetensors(directory / "streamed", infos, next);
  EXPECT_EQ(asked, (std::vector<std::size_t>{2, 1, 0}));
  EXPECT_EQ(TemporaryDirectory::content(directory / "streamed"),
            TemporaryDirectory::content(directory / "whole"));
  expect_error(ErrorCode::invalid_argument, "'b': its shape needs 4 bytes, there are 3", [&] {
    write_safetensors(directory / "short", infos, [&](std::size_t) { return all.subspan(0, 3); });
  });
  EXPECT_FALSE(std::filesystem::exists(directory / "short"));
}

TEST(Safetensors, WhatCannotBeWrittenLeavesNoFile) {
  const TemporaryDirectory directory;
  const std::vector<std::uint8_t> data(8);
  const auto refused = [&](const std::string& piece, std::vector<TensorView> tensors) {
    expect_error(ErrorCode::invalid_argument, piece, [&] { write_safetensors(directory / "a", tensors); });
    EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
  };
  const TensorView sound{{"x", DType::float32, {2}}, data};
  refused("'x' is there twice", {sound, sound});
  refused("its shape needs 12 bytes, there are 8", {TensorView{{"x", DType::float32, {3}}, data}});
  refused("not a whole number", {TensorView{{"x", DType::float32, {-2}}, data}});
  refused("__metadata__", {TensorView{{"__metadata__", DType::float32, {2}}, data}});
  refused("UTF-8", {TensorView{{"\xff", DType::float32, {2}}, data}});
}

TEST(Safetensors, AFileIsVerifiedBeforeItGetsItsName) {
  const TemporaryDirectory directory;
  const auto path = directory / "t.safetensors";
  const std::vector<std::uint8_t> old_bytes{1, 2}, new_bytes{3, 4};
  const std::vector<TensorView> before{{{"a", DType::uint8, {2}}, old_bytes}},
      after{{{"a", DType::uint8, {2}}, new_bytes}};
  write_safetensors(path, before);
  const std::string content = TemporaryDirectory::content(path);
  const auto value_in = [](const std::filesystem::path& file) {
    return SafetensorsFile(file).at("a").data[0];
  };
  expect_error(ErrorCode::io, "refused", [&] {
    write_safetensors(path, after, {}, [&](const std::filesystem::path& written) {
      EXPECT_EQ(value_in(written), 3);
      EXPECT_EQ(value_in(path), 1);
      throw Error(ErrorCode::io, "refused");
    });
  });
  EXPECT_EQ(TemporaryDirectory::content(path), content);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path()), {}), 1);
  int calls = 0;
  write_safetensors(path, after, {}, [&](const std::filesystem::path&) { ++calls; });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(value_in(path), 3);
  write_safetensors("/dev/null", after, {}, [&](const std::filesystem::path&) { ++calls; });
  EXPECT_EQ(calls, 1);  // written in place
}

TEST(TensorValues, HalvesAndBrainFloatsComeBackExactly) {
  std::vector<std::uint16_t> all;
  for (int bits = 0; bits < 1 << 16; ++bits) all.push_back(static_cast<std::uint16_t>(bits));
  for (const DType dtype : {DType::float16, DType::bfloat16}) {
    const TensorView tensor{{"t", dtype, {1 << 16}}, bytes_of(all)};
    const std::vector<float> values = float32_values(tensor);
    const std::vector<std::uint8_t> back = tensor_bytes(values, dtype);
    for (int bits = 0; bits < 1 << 16; ++bits) {
      if (std::isnan(values[bits])) continue;
      std::uint16_t read = 0;
      std::memcpy(&read, back.data() + 2 * bits, 2);
      ASSERT_EQ(read, bits);
    }
  }
  expect_error(ErrorCode::unsupported, "'t': values of dtype I16", [&] {
    float32_values({{"t", DType::int16, {1 << 16}}, bytes_of(all)});
  });
}

TEST(TensorValues, BrainFloatsRoundToTheNearestTiesToEven) {
  // Between two neighbours a < b: below the middle a, above it b, at the middle the one with an even end.
  const auto rounded = [](float value) {
    const std::vector<std::uint8_t> bytes = tensor_bytes({&value, 1}, DType::bfloat16);
    return static_cast<std::uint32_t>(bytes[0] | bytes[1] << 8);
  };
  for (const std::uint32_t upper : {0x3F80u, 0x3F81u, 0xC123u, 0x0000u, 0x0001u, 0x7F7Fu}) {
    EXPECT_EQ(rounded(std::bit_cast<float>(upper << 16 | 0x7FFFu)), upper);
    EXPECT_EQ(rounded(std::bit_cast<float>(upper << 16 | 0x8001u)), upper + 1);
    EXPECT_EQ(rounded(std::bit_cast<float>(upper << 16 | 0x8000u)), upper + (upper & 1));
  }
  EXPECT_TRUE(std::isnan(float32_values(
      {{"t", DType::bfloat16, {1}}, tensor_bytes(std::vector<float>{NAN}, DType::bfloat16)})[0]));
}

}  // namespace
}  // namespace parsimony::safetensors_test
