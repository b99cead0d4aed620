#include "core/files/safetensors_header.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostDimensions = 64;  // NumPy's limit

// The JSON parser calls this handler for each token. The handler allows only the five places below, so that
// it builds nothing outside the format and deep nesting costs no memory.
class HeaderReader {
 public:
  HeaderReader(SafetensorsHeader& header, const std::string& file, const std::stop_token& stop)
      : header_(header), file_(file), stop_(stop) {}

  bool start_object(std::size_t) {
    switch (place_) {
      case Place::file:
        place_ = Place::header;
        break;
      case Place::header:
        start_member();
        break;
      default:
        fail_value("an object");
    }
    return true;
  }

  bool key(std::string& name) {
    if (stop_.stop_requested()) throw Error(ErrorCode::cancelled, "cancelled");
    key_ = name;
    return true;
  }

  bool end_object() {
    if (place_ == Place::tensor) {
      if (!has_dtype_ || !has_shape_ || !has_offsets_)
        fail("dtype, shape and data_offsets must all be there");
      place_ = Place::header;
    } else if (place_ == Place::metadata) {
      place_ = Place::header;
    } else {
      place_ = Place::file;
    }
    return true;
  }

  bool start_array(std::size_t) {
    if (place_ != Place::tensor) fail_value("a list");
    if (key_ == "shape") {
      once(has_shape_);
      place_ = Place::shape;
    } else if (key_ == "data_offsets") {
      once(has_offsets_);
      offsets_ = 0;
      place_ = Place::offsets;
    } else {
      fail_value("a list");
    }
    return true;
  }

  bool end_array() {
    if (place_ == Place::offsets && offsets_ != 2) fail("data_offsets must be two numbers, begin and end");
    place_ = Place::tensor;
    return true;
  }

  bool number_unsigned(std::uint64_t value) {
    SafetensorsEntry& entry = current();
    if (place_ == Place::shape) {
      if (value > std::numeric_limits<std::int64_t>::max())
        fail(fmt::format("a side of {} is too long", value));
      if (entry.info.shape.size() == kMostDimensions) {
        fail(fmt::format("more than {} dimensions", kMostDimensions));
      }
      entry.info.shape.push_back(static_cast<std::int64_t>(value));
    } else if (place_ == Place::offsets) {
      if (offsets_ == 2) fail("data_offsets must be two numbers, begin and end");
      (offsets_++ == 0 ? entry.begin : entry.end) = value;
    } else {
      fail_value("a number");
    }
    return true;
  }

  bool string(std::string& value) {
    if (place_ == Place::metadata) {
      if (!header_.metadata.emplace(key_, std::move(value)).second) {
        fail_file(fmt::format("the key {} is twice in __metadata__", quoted_name(key_)));
      }
    } else if (place_ == Place::tensor && key_ == "dtype") {
      once(has_dtype_);
      for (const auto& [dtype, name] : names_of(DType{})) {
        if (name == value) {
          current().info.dtype = dtype;
          return true;
        }
      }
      fail(fmt::format("its dtype {} is not one of the format", quoted_name(value)));
    } else {
      fail_value("a text");
    }
    return true;
  }

  bool null() {
    if (place_ != Place::header || key_ != "__metadata__") return fail_value("null");
    start_member();  // "__metadata__": null says that there is none
    place_ = Place::header;
    return true;
  }
  bool boolean(bool) { return fail_value("a truth value"); }
  bool number_integer(std::int64_t value) { return fail_value(fmt::format("{}", value)); }
  bool number_float(double, const std::string&) {
    return fail_value("a number that is not a 64-bit integer");
  }
  bool binary(Json::binary_t&) { return fail_value("binary data"); }
  bool parse_error(std::size_t position, const std::string&, const Json::exception&) {
    fail_file(fmt::format("the header is not valid JSON at its byte {}", position));
  }

 private:
  enum class Place { file, header, metadata, tensor, shape, offsets };

  void start_member() {
    if (key_ == "__metadata__") {
      if (has_metadata_) fail_file("__metadata__ is there twice");
      has_metadata_ = true;
      place_ = Place::metadata;
      return;
    }
    header_.tensors.emplace_back().info.name = key_;
    has_dtype_ = has_shape_ = has_offsets_ = false;
    place_ = Place::tensor;
  }

  SafetensorsEntry& current() {
    if (header_.tensors.empty()) fail_value("a number");
    return header_.tensors.back();
  }

  void once(bool& has) {
    if (has) fail(fmt::format("{} is there twice", key_));
    has = true;
  }

  [[noreturn]] void fail_file(const std::string& what) const {
    throw Error(ErrorCode::format, fmt::format("{}: {}", file_, what));
  }

  [[noreturn]] void fail(const std::string& what) const {
    fail_file(fmt::format("tensor {}: {}", quoted_name(header_.tensors.back().info.name), what));
  }

  [[noreturn]] bool fail_value(const std::string& what) const {
    switch (place_) {
      case Place::file:
        fail_file("the header is not a JSON object");
      case Place::header:
        fail_file(fmt::format("tensor {}: {} where an object should be", quoted_name(key_), what));
      case Place::metadata:
        fail_file(fmt::format("__metadata__: {} under {} where a text should be", what, quoted_name(key_)));
      case Place::tensor:
        fail(fmt::format(
            "{} under {}; dtype is a text, shape and data_offsets are lists, and there is nothing else", what,
            quoted_name(key_)));
      default:
        fail(fmt::format("{} in {}, which holds whole numbers from 0 on", what, key_));
    }
  }

  SafetensorsHeader& header_;
  const std::string& file_;
  const std::stop_token& stop_;
  Place place_ = Place::file;
  std::string key_;
  bool has_metadata_ = false, has_dtype_ = false, has_shape_ = false, has_offsets_ = false;
  int offsets_ = 0;
};

std::string json_text(const std::string& text) {
  try {
    return Json(text).dump();
  } catch (const Json::exception&) {
    refuse(fmt::format("{} is not valid UTF-8", quoted_name(text)));
  }
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json, const std::string& file,
                                           const std::stop_token& stop) {
  SafetensorsHeader header;
  HeaderReader reader(header, file, stop);
  Json::sax_parse(json.begin(), json.end(), &reader);
  return header;
}

std::int64_t header_memory(std::string_view json) {
  constexpr std::string_view kOfEachTensor = "\"data_offsets\"";
  // A list grows by doubling, and the tensors are copied from the entries. Names and shapes are blocks of
  // their own.
  constexpr std::size_t kBlocks = 80, kRest = 4096;
  std::size_t tensors = 0;
  for (std::size_t at = 0; (at = json.find(kOfEachTensor, at)) != json.npos; at += kOfEachTensor.size()) {
    ++tensors;
  }
  const std::size_t grown = std::bit_ceil(tensors);
  return static_cast<std::int64_t>(
      sizeof(SafetensorsEntry) * grown +
      std::max(sizeof(SafetensorsEntry) * grown / 2, sizeof(TensorView) * tensors) + kBlocks * tensors +
      json.size() + kRest);
}

bool stored_before(const TensorInfo& a, const TensorInfo& b) {
  return a.dtype != b.dtype ? a.dtype > b.dtype : a.name < b.name;
}

TensorMetadata with_format(TensorMetadata metadata) {
  metadata.try_emplace("format", "pt");
  return metadata;
}

std::optional<std::int64_t> bytes_of(const TensorInfo& tensor) {
  const auto& shape = tensor.shape;
  if (std::any_of(shape.begin(), shape.end(), [](std::int64_t side) { return side < 0; })) return {};
  if (std::count(shape.begin(), shape.end(), 0) > 0) return 0;
  std::int64_t bits = bits_of(tensor.dtype);
  for (const std::int64_t side : shape) {
    if (bits > std::numeric_limits<std::int64_t>::max() / side) return {};
    bits *= side;
  }
  if (bits % 8 != 0) return {};
  return bits / 8;
}

std::string safetensors_header(std::span<const TensorInfo* const> tensors, const TensorMetadata& metadata) {
  std::string json = "{\"__metadata__\":{";
  for (const auto& [key, value] : metadata) {
    if (json.back() != '{') json += ',';
    json += json_text(key) + ':' + json_text(value);
  }
  json += '}';
  std::int64_t offset = 0;
  for (const TensorInfo* tensor : tensors) {
    const std::int64_t bytes = tensor->bytes();
    if (bytes > std::numeric_limits<std::int64_t>::max() - offset) {
      refuse("the tensors have more bytes together than any file");
    }
    json += fmt::format(",{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}",
                        json_text(tensor->name), enum_name(tensor->dtype), fmt::join(tensor->shape, ","),
                        offset, offset + bytes);
    offset += bytes;
  }
  json += '}';
  json.resize((json.size() + 7) / 8 * 8, ' ');
  if (json.size() > kMostHeaderBytes) {
    refuse(fmt::format("a header of {}; readers take {} at most", count_of(json.size(), "byte"),
                       kMostHeaderBytes));
  }
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>(json.size() >> (8 * i) & 0xff);
  return out + json;
}

}  // namespace parsimony
