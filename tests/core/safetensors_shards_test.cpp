// Models in several files, and what is given in place of a safetensors file.
#include <gtest/gtest.h>

#include "core/files/safetensors_index.hpp"
#include "expect_error.hpp"
#include "parsimony/core/safetensors.hpp"
#include "temporary_directory.hpp"

namespace parsimony::safetensors_shards_test {
namespace {

using namespace std::string_literals;

class SafetensorsShards : public ::testing::Test {
 protected:
  void shard(const std::string& name, const std::vector<std::string>& tensors,
             const TensorMetadata& metadata = {}) {
    std::vector<TensorView> views;
    for (const std::string& tensor : tensors) {
      // Each tensor holds its own name.
      views.push_back({{tensor, DType::uint8, {static_cast<std::int64_t>(tensor.size())}},
                       {reinterpret_cast<const std::uint8_t*>(tensor.data()), tensor.size()}});
    }
    write_safetensors(directory_ / name, views, metadata);
  }
  SafetensorsFile open(const std::string& index) {
    return SafetensorsFile(directory_.file("m.safetensors.index.json", index));
  }
  void refused(const std::string& index, const std::string& piece) {
    expect_error(ErrorCode::format, piece, [&] { open(index); });
  }

  TemporaryDirectory directory_;
};

constexpr const char* kIndex =
    R"({"metadata":{"total_size":3,"deep":[{"weight_map":{"x":1}}]},"weight_map":{"b":"m-2.safetensors",
        "a":"m-1.safetensors","cc":"m-1.safetensors"}})";

TEST_F(SafetensorsShards, AreReadAsOneFile) {
  shard("m-1.safetensors", {"a", "cc"}, {{"note", "first"}});
  shard("m-2.safetensors", {"b"}, {{"note", "second"}, {"more", "yes"}});
  std::optional<SafetensorsFile> opened(open(kIndex));
  const SafetensorsFile file = *opened;
  opened.reset();
  ASSERT_EQ(file.tensors().size(), 3u);
  for (const TensorView& tensor : file.tensors()) {
    EXPECT_EQ(std::string(tensor.data.begin(), tensor.data.end()), tensor.name);
    EXPECT_EQ(file.find(tensor.name), &tensor);
  }
  EXPECT_TRUE(std::is_sorted(file.tensors().begin(), file.tensors().end(),
                             [](const TensorView& a, const TensorView& b) { return a.name < b.name; }));
  EXPECT_EQ(file.metadata(), (TensorMetadata{{"format", "pt"}, {"note", "first"}, {"more", "yes"}}));
  const SafetensorsFile one(directory_ / "m-1.safetensors"), two(directory_ / "m-2.safetensors");
  EXPECT_EQ(file.size(), one.size() + two.size());
  EXPECT_EQ(file.header_bytes(), one.header_bytes() + two.header_bytes());
  ASSERT_EQ(file.paths().size(), 3u);
  EXPECT_EQ(file.paths()[2].filename(), "m-2.safetensors");
  EXPECT_EQ(one.paths().size(), 1u);
}

TEST_F(SafetensorsShards, ThatDoNotFitTheirIndexAreErrors) {
  shard("m-1.safetensors", {"a", "cc"});
  refused(kIndex, "its shard 'm-2.safetensors' is not there; all 2 shards must lie beside the index");
  shard("m-2.safetensors", {"a"});
  refused(kIndex, "tensor 'a' lies in 'm-2.safetensors'; the index says in 'm-1.safetensors'");
  shard("m-2.safetensors", {"b", "d"});
  refused(kIndex, "tensor 'd' lies in 'm-2.safetensors'; the index does not name it");
  shard("m-2.safetensors", {});
  refused(kIndex, "tensor 'b' is not in its shard 'm-2.safetensors'");
  directory_.file("m-2.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:53\nsize 908\n");
  refused(kIndex, "m-2.safetensors: is a Git LFS pointer to a file of 908 bytes");
  refused(R"({"weight_map":{"a":"m.safetensors.index.json"}})", "m.safetensors.index.json: is JSON");
}

TEST_F(SafetensorsShards, AnIndexIsHostile) {
  refused(R"({"metadata":{}, "model_type": "bert"})", "is JSON without a weight_map");
  refused(R"({"weight_map":{}, "x": 1234567})", "names no tensor");
  refused(R"({"weight_map":["a", "b", "c"]})", "without a weight_map");
  refused(R"({"weight_map":"m-1.safetensors"})", "weight_map is a text");
  refused(R"({"weight_map":{"a":1234567}})", "a number under 'a'");
  refused(R"({"weight_map":{"a":{"b":"c"}}})", "an object under 'a'");
  refused(R"({"weight_map":{"a":["b"]}})", "a list under 'a'");
  refused(R"({"weight_map":{"a":"x","a":"x"}})", "tensor 'a' is there twice");
  refused(R"({"weight_map":{"a":"x"},"weight_map":{"b":"x"}})", "weight_map is there twice");
  refused(R"({"weight_map":{"a":"x")", "not valid JSON at its byte");
  for (const char* shard : {"../x", "/etc/passwd", "", ".", "..", "d/x", "a\\u0000b"}) {
    refused(R"({"weight_map":{"a":")"s + shard + "\"}}", "not the plain name of a file");
  }
}

TEST_F(SafetensorsShards, TheTextOfAnIndexIsReadBack) {
  SafetensorsIndex index{{"s-1", "s-2"}, {{"x\"y", 1}, {"é", 0}, {"z", 0}}};
  const SafetensorsIndex read = parse_safetensors_index(safetensors_index_text(index, 12), "i");
  EXPECT_EQ(read.shards, index.shards);
  EXPECT_EQ(read.tensors, index.tensors);
}

TEST(SafetensorsHeader, IsReadAsTheReferenceReadsIt) {
  const auto read = [](std::string json, const std::string& data) {
    std::string bytes(8, '\0');
    bytes[0] = static_cast<char>(json.size());
    return SafetensorsFile(bytes + json + data, "a.st");
  };
  const std::string tensor = R"("t":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})";
  EXPECT_EQ(read(R"({"__metadata__":null,)" + tensor, "abc").tensors().size(), 1u);
  EXPECT_TRUE(read(R"({"__metadata__":null,)" + tensor, "abc").metadata().empty());
  EXPECT_EQ(read(" \t\r\n{" + tensor, "abc").at("t").data.size(), 3u);
  expect_error(ErrorCode::format, "__metadata__ is there twice",
               [&] { read(R"({"__metadata__":null,"__metadata__":{},)" + tensor, "abc"); });
  expect_error(ErrorCode::format, "null where an object should be", [&] { read(R"({"t":null})", ""); });
}

TEST(SafetensorsHeader, BlanksBeforeItDoNotMakeTheFileACompressedOne) {
  // A header of 0x8B1F bytes: the file begins with the two bytes of gzip.
  const TemporaryDirectory directory;
  std::string json = R"( {"t":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})";
  json.resize(0x8B1F, ' ');
  const auto path = directory.file("a", "\x1F\x8B\0\0\0\0\0\0"s + json + "abc");
  EXPECT_EQ(SafetensorsFile(path).at("t").data.size(), 3u);
}

TEST(OtherFormats, AreNamedWithTheWayToSafetensors) {
  const TemporaryDirectory directory;
  const auto refused = [&](const std::string& name, const std::string& content,
                           const std::vector<std::string>& pieces) {
    const auto path = directory.file(name, content);
    for (const std::string& piece : pieces) {
      expect_error(ErrorCode::format, piece, [&] { SafetensorsFile{path}; });
    }
    expect_error(ErrorCode::format, pieces[0], [&] { SafetensorsFile(content, "in memory"); });
  };
  const std::string lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:53aa\nsize ";
  refused("a", lfs + "90868376\n", {"Git LFS pointer to a file of 90868376 bytes", "git lfs pull"});
  refused("a", lfs + "\x1B[31m\n", {"Git LFS pointer to a file, not"});
  refused("a.gguf", "GGUF\x03\0\0\0"s + std::string(64, '\0'), {"GGUF"});
  refused("p.bin", "PK\x03\x04\x14\0\0\0\0\0archive/data.pkl\x80\x04"s,
          {"PyTorch file", "torch.load(", "save_file"});
  refused("old.pth", "\x80\x02}q\0."s + std::string(20, 'x'), {"PyTorch file"});
  refused("short.pth", "\x80\x04\x95\x05\0\0\0\0\0\0\0."s, {"PyTorch file"});
  refused("a.npz", "PK\x03\x04\x14\0\0\0\0\0x.npy"s, {"zip archive"});
  for (const char* page :
       {"<!DOCTYPE html><html>404</html>", "\n  <!doctype HTML>", "\xEF\xBB\xBF<html lang=en>"}) {
    refused("page", page, {"web page"});
  }
  refused("a.h5", "\x89HDF\r\n\x1A\n"s + std::string(64, '\0'), {"HDF5"});
  refused("a.npy", "\x93NUMPY\x01\0"s + std::string(64, ' '), {".npy"});
  refused("a.tflite", "\x1C\0\0\0TFL3"s + std::string(64, '\0'), {"TensorFlow Lite"});
  refused("short", "{}", {"JSON"});
  // The command holds the name of the file only where no shell reads it otherwise.
  refused("a'b.bin", "\x80\x02}q\0."s + std::string(20, 'x'), {"torch.load('FILE'"});
}

}  // namespace
}  // namespace parsimony::safetensors_shards_test
