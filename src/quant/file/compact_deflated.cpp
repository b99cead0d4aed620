#include "quant/file/compact_deflated.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "quant/file/compact_recipe.hpp"

namespace parsimony::quant {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

constexpr const char* kHeaderTensor = "parsimony.header";
constexpr const char* kDataTensor = "parsimony.data";
constexpr std::size_t kMostHeaderBytes = 100'000'000;  // limit of safetensors files

// Shapes of the weights by the names of their tensors. The deflated header holds these values, the data does
// not.
using Shapes = std::map<std::string, std::vector<std::int64_t>, std::less<>>;
Shapes shapes_of(const CompactRecipe& recipe) {
  Shapes shapes;
  for (const WeightRecipe& weight : recipe.weights) shapes.emplace(weight.name + "_shape", weight.shape);
  return shapes;
}

// Sorts tensors as the plain form does.
template <class Info>
std::vector<const Info*> in_order(std::span<const Info> tensors) {
  std::vector<const Info*> out;
  for (const Info& tensor : tensors) out.push_back(&tensor);
  std::sort(out.begin(), out.end(), [](const TensorInfo* a, const TensorInfo* b) {
    return a->dtype != b->dtype ? a->dtype > b->dtype : a->name < b->name;
  });
  return out;
}

template <class Info>
std::vector<std::uint8_t> deflated_header(const std::vector<const Info*>& tensors,
                                          const CompactRecipe& recipe, const Shapes& shapes) {
  OrderedJson list = OrderedJson::array();
  for (const Info* tensor : tensors) {
    OrderedJson entry{tensor->name, enum_name(tensor->dtype), tensor->shape};
    if (const auto shape = shapes.find(tensor->name); shape != shapes.end()) entry.push_back(shape->second);
    list.push_back(std::move(entry));
  }
  TensorMetadata metadata = file_metadata(recipe);
  metadata.try_emplace("format", "pt");
  std::string text;
  try {
    text = OrderedJson{{"metadata", metadata}, {"tensors", std::move(list)}}.dump();
  } catch (const OrderedJson::exception&) {
    refuse("recipe: a name in it is not valid UTF-8");
  }
  uLongf size = compressBound(static_cast<uLong>(text.size()));
  std::vector<std::uint8_t> out(size);
  // compress2 fails only when memory runs out.
  if (compress2(out.data(), &size, reinterpret_cast<const Bytef*>(text.data()),
                static_cast<uLong>(text.size()), Z_BEST_COMPRESSION) != Z_OK) {
    throw std::bad_alloc();
  }
  out.resize(size);
  return out;
}

std::vector<TensorInfo> outer_tensors(std::int64_t header, std::int64_t data) {
  return {{kHeaderTensor, DType::uint8, {header}}, {kDataTensor, DType::uint8, {data}}};
}

TensorMetadata outer_metadata() {
  return {{std::string(kVersionKey), std::string(kDeflatedVersion)}};
}

std::string inflated(std::span<const std::uint8_t> bytes, const std::string& file) {
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorCode::format, fmt::format("{}: tensor {}: {}", file, quoted_name(kHeaderTensor), what));
  };
  struct Stream : z_stream {
    Stream() : z_stream{} {
      if (inflateInit(this) != Z_OK) throw std::bad_alloc();
    }
    ~Stream() { inflateEnd(this); }
  } stream;
  if (bytes.size() > kMostHeaderBytes)
    fail(fmt::format("{} bytes; at most {} are read", bytes.size(), kMostHeaderBytes));
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string text;
  int status = Z_OK;
  while (status == Z_OK) {
    const std::size_t done = text.size(), room = std::max<std::size_t>(4096, done);
    text.resize(done + room);
    stream.next_out = reinterpret_cast<Bytef*>(text.data() + done);
    stream.avail_out = static_cast<uInt>(room);
    status = inflate(&stream, Z_NO_FLUSH);
    text.resize(done + room - stream.avail_out);
    if (text.size() > kMostHeaderBytes) fail(fmt::format("inflates to more than {} bytes", kMostHeaderBytes));
  }
  if (status != Z_STREAM_END || stream.avail_in != 0)
    fail("must be one zlib stream that ends with the tensor");
  return text;
}

// Size of a tensor; nothing if it does not fit 64 bits or is not a whole number of bytes.
std::optional<std::uint64_t> bytes_of(DType dtype, const std::vector<std::int64_t>& shape) {
  std::int64_t bits = bits_of(dtype);
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) bits = 0;
  for (const std::int64_t side : shape) {
    if (side < 0) return std::nullopt;
    if (bits == 0) continue;
    if (bits > std::numeric_limits<std::int64_t>::max() / side) return std::nullopt;
    bits *= side;
  }
  if (bits % 8 != 0) return std::nullopt;
  return static_cast<std::uint64_t>(bits / 8);
}

std::string plain_form(const Json& root, std::span<const std::uint8_t> data) {
  const auto fail = [](const std::string& what) { throw Error(ErrorCode::format, what); };
  Json header{{"__metadata__", root.at("metadata")}};
  std::string bytes;
  std::size_t used = 0;
  for (const Json& entry : root.at("tensors")) {
    if (!entry.is_array() || entry.size() < 3 || entry.size() > 4)
      fail("an entry must be a list of three or four");
    const auto name = entry[0].get<std::string>();
    const auto dtype_name = entry[1].get<std::string>();
    const auto shape = entry[2].get<std::vector<std::int64_t>>();
    constexpr auto names = names_of(DType{});
    const auto dtype = std::find_if(names.begin(), names.end(),
                                    [&](const auto& value) { return value.second == dtype_name; });
    if (dtype == names.end())
      fail(fmt::format("the dtype of {} is not one of the format", quoted_name(name)));
    const auto size = bytes_of(dtype->first, shape);
    const std::size_t begin = bytes.size();
    if (entry.size() == 4) {
      const auto values = entry[3].get<std::vector<std::int64_t>>();
      if (dtype->first != DType::int64 || size != values.size() * sizeof(std::int64_t)) {
        fail(fmt::format("the values of {} do not fit its dtype and shape", quoted_name(name)));
      }
      bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(std::int64_t));
    } else {
      if (!size || *size > data.size() - used)
        fail(fmt::format("{} lies beyond the data", quoted_name(name)));
      bytes.append(reinterpret_cast<const char*>(data.data()) + used, *size);
      used += *size;
    }
    const Json place{{"dtype", dtype_name}, {"shape", shape}, {"data_offsets", {begin, bytes.size()}}};
    if (!header.emplace(name, place).second) fail(fmt::format("{} is there twice", quoted_name(name)));
  }
  if (used != data.size())
    fail(fmt::format("the last {} bytes of the data belong to no tensor", data.size() - used));
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t length = text.size();
  std::string out(sizeof length, '\0');
  std::memcpy(out.data(), &length, sizeof length);
  return out + text + bytes;
}

}  // namespace

bool is_deflated(const SafetensorsFile& file) {
  const auto version = file.metadata().find(kVersionKey);
  return version != file.metadata().end() && version->second == kDeflatedVersion;
}

std::int64_t deflated_size(std::span<const TensorInfo> tensors, const CompactRecipe& recipe) {
  const Shapes shapes = shapes_of(recipe);
  std::int64_t data = 0;
  for (const TensorInfo& tensor : tensors) data += shapes.contains(tensor.name) ? 0 : tensor.bytes();
  const auto header = deflated_header(in_order(tensors), recipe, shapes);
  return safetensors_size(outer_tensors(std::ssize(header), data), outer_metadata());
}

void write_deflated(const std::filesystem::path& path, std::span<const TensorView> tensors,
                    const CompactRecipe& recipe,
                    const std::function<void(const std::filesystem::path&)>& verify) {
  const Shapes shapes = shapes_of(recipe);
  const auto ordered = in_order(tensors);
  std::vector<std::uint8_t> data;
  for (const TensorView* tensor : ordered) {
    if (!shapes.contains(tensor->name)) data.insert(data.end(), tensor->data.begin(), tensor->data.end());
  }
  const auto header = deflated_header(ordered, recipe, shapes);
  const auto infos = outer_tensors(std::ssize(header), std::ssize(data));
  const std::vector<TensorView> views{{infos[0], header}, {infos[1], data}};
  write_safetensors(path, views, outer_metadata(), verify);
}

SafetensorsFile inflate_compact_file(const SafetensorsFile& file) {
  for (const TensorView& tensor : file.tensors()) {
    const bool known = tensor.name == kHeaderTensor || tensor.name == kDataTensor;
    if (known && tensor.dtype == DType::uint8) continue;
    throw Error(
        ErrorCode::format,
        fmt::format(
            "{}: tensor {}: a compact file of version {} must have {} and {} of dtype U8 and no other",
            file.name(), quoted_name(tensor.name), kDeflatedVersion, kHeaderTensor, kDataTensor));
  }
  const std::string text = inflated(file.at(kHeaderTensor).data, file.name());
  std::string bytes;
  try {
    bytes = plain_form(Json::parse(text), file.at(kDataTensor).data);
  } catch (const Json::exception&) {
    throw Error(ErrorCode::format, fmt::format("{}: {} is not JSON of the form in docs/formats/compact.md",
                                               file.name(), kHeaderTensor));
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{}: {}: {}", file.name(), kHeaderTensor, error.what()));
  }
  return SafetensorsFile(std::move(bytes), file.name());
}

}  // namespace parsimony::quant
