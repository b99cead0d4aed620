#include "quant/file/compact_deflated.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <map>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/count_of.hpp"
#include "core/files/safetensors_header.hpp"
#include "core/json_nesting.hpp"
#include "quant/file/compact_checksum.hpp"
#include "quant/file/compact_recipe.hpp"

namespace parsimony::quant {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

constexpr const char* kHeaderTensor = "parsimony.header";
constexpr const char* kDataTensor = "parsimony.data";

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
  std::sort(out.begin(), out.end(),
            [](const TensorInfo* a, const TensorInfo* b) { return stored_before(*a, *b); });
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
  const TensorMetadata metadata = with_format(file_metadata(recipe));
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
  return {{std::string(kVersionKey), std::string(kFormatVersion)}};
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
    fail(fmt::format("{}; at most {} are read", count_of(bytes.size(), "byte"), kMostHeaderBytes));
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
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    text.resize(done + room - stream.avail_out);
    if (text.size() > kMostHeaderBytes) fail(fmt::format("inflates to more than {} bytes", kMostHeaderBytes));
  }
  if (status != Z_STREAM_END || stream.avail_in != 0)
    fail("must be one zlib stream that ends with the tensor");
  return text;
}

// An entry of the list of tensors. Its values are its own where it lists them, else the next of the data.
struct Entry {
  TensorInfo tensor;
  std::vector<std::int64_t> values;
  std::size_t taken = 0;  // bytes of the data
};

Entry parse_entry(const Json& json, std::size_t left) {
  const auto fail = [](const std::string& what) { throw Error(ErrorCode::format, what); };
  if (!json.is_array() || json.size() < 3 || json.size() > 4)
    fail("an entry must be a list of three or four");
  Entry entry;
  TensorInfo& tensor = entry.tensor;
  tensor.name = json[0].get<std::string>();
  tensor.shape = json[2].get<std::vector<std::int64_t>>();
  constexpr auto names = names_of(DType{});
  const auto dtype = std::find_if(names.begin(), names.end(), [&](const auto& value) {
    return value.second == json[1].get_ref<const std::string&>();
  });
  if (dtype == names.end())
    fail(fmt::format("the dtype of {} is not one of the format", quoted_name(tensor.name)));
  tensor.dtype = dtype->first;
  const std::optional<std::int64_t> size = bytes_of(tensor);
  if (json.size() == 4) {
    entry.values = json[3].get<std::vector<std::int64_t>>();
    if (tensor.dtype != DType::int64 || size != std::ssize(entry.values) * std::int64_t{sizeof(std::int64_t)})
      fail(fmt::format("the values of {} do not fit its dtype and shape", quoted_name(tensor.name)));
  } else {
    if (!size || static_cast<std::size_t>(*size) > left)
      fail(fmt::format("{} lies beyond the data", quoted_name(tensor.name)));
    entry.taken = static_cast<std::size_t>(*size);
  }
  return entry;
}

// The bytes are appended to one string of the right capacity: they may be most of the memory of a reader.
std::string plain_form(const Json& root, std::span<const std::uint8_t> data) {
  std::vector<Entry> entries;
  std::size_t used = 0, listed = 0;
  for (const Json& json : root.at("tensors")) {
    const Entry& entry = entries.emplace_back(parse_entry(json, data.size() - used));
    used += entry.taken;
    listed += entry.values.size() * sizeof(std::int64_t);
  }
  if (used != data.size())
    throw Error(ErrorCode::format,
                fmt::format("the last {} of the data {} to no tensor", count_of(data.size() - used, "byte"),
                            noun_of(data.size() - used, "belongs", "belong")));
  std::vector<const TensorInfo*> tensors;
  tensors.reserve(entries.size());
  for (const Entry& entry : entries) tensors.push_back(&entry.tensor);
  std::string out = safetensors_header(tensors, root.at("metadata").get<TensorMetadata>());
  out.reserve(out.size() + used + listed);
  const char* next = reinterpret_cast<const char*>(data.data());
  for (const Entry& entry : entries) {
    out.append(reinterpret_cast<const char*>(entry.values.data()),
               entry.values.size() * sizeof(std::int64_t));
    out.append(next, entry.taken);
    next += entry.taken;
  }
  return out;
}

}  // namespace

bool is_deflated(const SafetensorsFile& file) {
  const auto version = file.metadata().find(kVersionKey);
  if (version == file.metadata().end()) return false;
  return version->second == kFirstDeflatedVersion ||
         (is_later_version(version->second) && !file.metadata().contains(kRecipeKey));
}

std::int64_t deflated_size(std::span<const TensorInfo> tensors, const CompactRecipe& recipe) {
  const Shapes shapes = shapes_of(recipe);
  std::int64_t data = 0;
  for (const TensorInfo& tensor : tensors) data += shapes.contains(tensor.name) ? 0 : tensor.bytes();
  const auto header = deflated_header(in_order(tensors), recipe, shapes);
  return safetensors_size(outer_tensors(std::ssize(header), data), with_checksum(outer_metadata(), {}));
}

void write_deflated(const OutputPath& path, std::span<const TensorView> tensors, const CompactRecipe& recipe,
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
  write_safetensors(
      path, views, with_checksum(outer_metadata(), views), [&](const std::filesystem::path& written) {
        std::vector<std::uint8_t>().swap(data);  // written: the reader copies it and makes codes of the copy
        verify(written);
      });
}

SafetensorsFile inflate_compact_file(const SafetensorsFile& file, const Context& context) {
  for (const TensorView& tensor : file.tensors()) {
    const bool known = tensor.name == kHeaderTensor || tensor.name == kDataTensor;
    if (known && tensor.dtype == DType::uint8) continue;
    throw Error(
        ErrorCode::format,
        fmt::format("{}: tensor {}: a compact file without {} must have {} and {} of dtype U8 and no other",
                    file.name(), quoted_name(tensor.name), kRecipeKey, kHeaderTensor, kDataTensor));
  }
  constexpr std::int64_t kOfText = 12;  // its JSON, the entries, and the header of the plain form
  const std::span<const std::uint8_t> data = file.at(kDataTensor).data;
  const std::string text = inflated(file.at(kHeaderTensor).data, file.name());
  context.require_memory(kOfText * std::ssize(text) + std::ssize(data), "inflating " + file.name());
  std::string bytes;
  try {
    if (nests_too_deep(text))
      throw Error(ErrorCode::format, "its lists and objects lie too deep within each other");
    bytes = plain_form(Json::parse(text), data);
  } catch (const Json::exception&) {
    throw Error(ErrorCode::format, fmt::format("{}: {} is not JSON of the form in docs/formats/compact.md",
                                               file.name(), kHeaderTensor));
  } catch (const Error& error) {
    throw Error(ErrorCode::format, fmt::format("{}: {}: {}", file.name(), kHeaderTensor, error.what()));
  }
  return SafetensorsFile(std::move(bytes), file.name(), context);
}

}  // namespace parsimony::quant
