#include "core/files/safetensors_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/safetensors.hpp"

namespace parsimony {
namespace {

using IndexJson = nlohmann::ordered_json;

// The JSON parser calls this handler for each token. Only the weight map is kept, so that everything else,
// however deep, costs no memory.
class IndexReader {
 public:
  IndexReader(SafetensorsIndex& index, const std::string& file) : index_(index), file_(file) {}

  bool has_map() const { return has_map_; }

  bool start_object(std::size_t) {
    if (depth_ == 1 && key_ == "weight_map") {
      if (has_map_) fail("weight_map is there twice");
      has_map_ = in_map_ = true;
    } else if (in_map_) {
      fail_value("an object");
    }
    ++depth_;
    return true;
  }
  bool end_object() {
    --depth_;
    if (depth_ == 1) in_map_ = false;
    return true;
  }
  bool start_array(std::size_t) {
    if (depth_ == 0) fail("is a list; must be an object with a weight_map");
    if (in_map_) fail_value("a list");
    ++depth_;
    return true;
  }
  bool end_array() {
    --depth_;
    return true;
  }
  bool key(std::string& name) {
    key_ = name;
    return true;
  }
  bool string(std::string& shard) {
    if (!in_map_) return other("a text");
    if (shard.empty() || shard.find('/') != std::string::npos || shard.find('\0') != std::string::npos ||
        shard == "." || shard == "..") {
      fail(fmt::format("tensor {}: its shard {} is not the plain name of a file beside the index",
                       quoted_name(key_), quoted_name(shard)));
    }
    const auto place = places_.try_emplace(shard, places_.size()).first->second;
    if (!index_.tensors.emplace(key_, place).second)
      fail(fmt::format("tensor {} is there twice", quoted_name(key_)));
    return true;
  }
  bool null() { return other("null"); }
  bool boolean(bool) { return other("a truth value"); }
  bool number_integer(std::int64_t) { return other("a number"); }
  bool number_unsigned(std::uint64_t) { return other("a number"); }
  bool number_float(double, const std::string&) { return other("a number"); }
  bool binary(IndexJson::binary_t&) { return other("binary data"); }
  bool parse_error(std::size_t position, const std::string&, const IndexJson::exception&) {
    fail(fmt::format("is not valid JSON at its byte {}", position));
  }

  // Shards in the order of their names, which is that of their numbers.
  void sort_shards() {
    std::vector<std::size_t> rank(places_.size());
    for (const auto& [shard, place] : places_) {
      rank[place] = index_.shards.size();
      index_.shards.push_back(shard);
    }
    for (auto& [tensor, place] : index_.tensors) place = rank[place];
  }

 private:
  bool other(const char* value) {
    if (in_map_) fail_value(value);
    if (depth_ == 1 && key_ == "weight_map") fail(fmt::format("weight_map is {}; must be an object", value));
    return true;
  }
  [[noreturn]] void fail_value(const char* value) const {
    fail(fmt::format("weight_map: {} under {} where the name of a file should be", value, quoted_name(key_)));
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::format, fmt::format("{}: {}", file_, what));
  }

  SafetensorsIndex& index_;
  const std::string& file_;
  std::map<std::string, std::size_t> places_;
  std::string key_;
  std::int64_t depth_ = 0;
  bool in_map_ = false, has_map_ = false;
};

}  // namespace

SafetensorsIndex parse_safetensors_index(std::string_view json, const std::string& file) {
  constexpr std::size_t kMostBytes = std::size_t{32} << 20;  // some 300,000 tensors
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorCode::format, fmt::format("{}: {}", file, what));
  };
  if (json.size() > kMostBytes) {
    fail(fmt::format("an index of {}; must have at most {}", count_of(json.size(), "byte"), kMostBytes));
  }
  SafetensorsIndex index;
  IndexReader reader(index, file);
  IndexJson::sax_parse(json.begin(), json.end(), &reader);
  if (!reader.has_map()) {
    fail("is JSON without a weight_map; must be a safetensors file or the index of a sharded model");
  }
  if (index.tensors.empty()) fail("its weight_map names no tensor");
  reader.sort_shards();
  return index;
}

std::int64_t index_memory(std::string_view json) {
  // A node of the map, and a view in a list that grows by doubling, each with a name and perhaps a shape.
  constexpr std::size_t kNode = 160, kView = 3 * sizeof(TensorView) + 80;
  const auto names = static_cast<std::size_t>(std::count(json.begin(), json.end(), ':'));
  return static_cast<std::int64_t>(names * (kNode + kView) + 2 * json.size());
}

std::string safetensors_index_text(const SafetensorsIndex& index, std::int64_t total_bytes) {
  IndexJson root;
  root["metadata"]["total_size"] = total_bytes;
  IndexJson& map = root["weight_map"] = IndexJson::object();
  for (const auto& [tensor, shard] : index.tensors) map[tensor] = index.shards[shard];
  return root.dump(2) + "\n";
}

}  // namespace parsimony
