#include "parsimony/core/safetensors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "core/count_of.hpp"
#include "core/files/compression.hpp"
#include "core/files/mapped_file.hpp"
#include "core/files/other_formats.hpp"
#include "core/files/safetensors_header.hpp"
#include "core/files/safetensors_index.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"

namespace parsimony {
namespace {

constexpr std::size_t kLengthBytes = 8;

struct Parsed {
  std::vector<TensorView> tensors;
  TensorMetadata metadata;
  std::size_t header_bytes = 0;
};

bool by_name(const TensorView& a, const TensorView& b) {
  return a.name < b.name;
}

// Whether a file is JSON from its first byte on: no header of a safetensors file is as long as text would
// say.
bool is_json(std::string_view bytes) {
  std::uint64_t length = 0;
  if (bytes.size() < kLengthBytes) return false;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  return length > kMostHeaderBytes && first_of_json(bytes) == '{';
}

Parsed parse(std::string_view bytes, const std::string& file, const Context& context) {
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorCode::format, fmt::format("{}: {}", file, what));
  };
  const auto fail_header = [&](const std::string& what) {
    const std::string other = other_format(bytes, file);
    fail(other.empty() ? what : other);
  };
  if (bytes.size() < kLengthBytes) {
    fail_header(fmt::format("{}; a safetensors file begins with the length of its header in {}",
                            count_of(bytes.size(), "byte"), kLengthBytes));
  }
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  if (length > kMostHeaderBytes) {
    fail_header(fmt::format("no safetensors file: the length of its header, {}, is above {}", length,
                            kMostHeaderBytes));
  }
  if (length > bytes.size() - kLengthBytes) {
    fail_header(fmt::format("the header of {} is truncated after {}", count_of(length, "byte"),
                            bytes.size() - kLengthBytes));
  }
  const std::string_view json = bytes.substr(kLengthBytes, length);
  if (first_of_json(json) != '{') fail_header("no safetensors file: its header does not begin with {");
  context.require_memory(header_memory(json), "reading the header of " + file);
  SafetensorsHeader header = parse_safetensors_header(json, file, context.stop);

  const std::string_view data = bytes.substr(kLengthBytes + length);
  auto& entries = header.tensors;
  std::sort(entries.begin(), entries.end(), [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  Parsed parsed{{}, std::move(header.metadata), kLengthBytes + length};
  parsed.tensors.reserve(entries.size());
  std::uint64_t reached = 0;
  for (SafetensorsEntry& entry : entries) {
    const auto fail_tensor = [&](const std::string& what) {
      fail(fmt::format("tensor {}: {}", quoted_name(entry.info.name), what));
    };
    const std::string where = fmt::format("its bytes {} to {}", entry.begin, entry.end);
    if (entry.end < entry.begin) fail_tensor(where + " end before they begin");
    if (entry.end > data.size())
      fail_tensor(fmt::format("{} lie beyond the {} of the data", where, data.size()));
    if (entry.begin < reached) fail_tensor(where + " overlap those of another tensor");
    if (entry.begin > reached) fail_tensor(fmt::format("before {} lie bytes of no tensor", where));
    const std::uint64_t size = entry.end - entry.begin;
    const auto needed = bytes_of(entry.info);
    const std::string values = fmt::format("{} values of shape ({})", enum_name(entry.info.dtype),
                                           fmt::join(entry.info.shape, ", "));
    if (!needed) fail_tensor(values + " are not a whole number of bytes below 2^63");
    if (static_cast<std::uint64_t>(*needed) != size) {
      fail_tensor(fmt::format("{} need {}, there are {}", values, count_of(*needed, "byte"), size));
    }
    reached = entry.end;
    parsed.tensors.push_back(
        {std::move(entry.info), {reinterpret_cast<const std::uint8_t*>(data.data()) + entry.begin, size}});
  }
  if (reached != data.size())
    fail(fmt::format("its last {} {} to no tensor", count_of(data.size() - reached, "byte"),
                     noun_of(data.size() - reached, "belongs", "belong")));

  std::sort(parsed.tensors.begin(), parsed.tensors.end(), by_name);
  const auto twice = std::adjacent_find(parsed.tensors.begin(), parsed.tensors.end(),
                                        [](const auto& a, const auto& b) { return a.name == b.name; });
  if (twice != parsed.tensors.end()) fail(fmt::format("tensor {} is there twice", quoted_name(twice->name)));
  return parsed;
}

// Tensors in the order of the file; throws for names and sizes that a file cannot hold.
std::vector<const TensorInfo*> in_order(std::vector<const TensorInfo*> tensors) {
  std::sort(tensors.begin(), tensors.end(),
            [](const TensorInfo* a, const TensorInfo* b) { return stored_before(*a, *b); });
  std::vector<std::string_view> names;
  names.reserve(tensors.size());
  for (const TensorInfo* tensor : tensors) names.push_back(tensor->name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) {
    refuse(fmt::format("tensor {} is there twice", quoted_name(*twice)));
  }
  if (std::binary_search(names.begin(), names.end(), "__metadata__")) {
    refuse("a tensor cannot be called __metadata__");
  }
  return tensors;
}

void check_bytes(const TensorInfo& tensor, std::size_t size) {
  if (static_cast<std::uint64_t>(tensor.bytes()) == size) return;
  refuse(fmt::format("tensor {}: its shape needs {}, there are {}", quoted_name(tensor.name),
                     count_of(tensor.bytes(), "byte"), size));
}

}  // namespace

int bits_of(DType dtype) {
  switch (dtype) {
    case DType::float4:
      return 4;
    case DType::float6_e2m3:
    case DType::float6_e3m2:
      return 6;
    case DType::boolean:
    case DType::uint8:
    case DType::int8:
    case DType::float8_e5m2:
    case DType::float8_e4m3:
    case DType::float8_e8m0:
      return 8;
    case DType::int16:
    case DType::uint16:
    case DType::float16:
    case DType::bfloat16:
      return 16;
    case DType::int32:
    case DType::uint32:
    case DType::float32:
      return 32;
    default:
      return 64;
  }
}

std::int64_t TensorInfo::bytes() const {
  if (const auto bytes = bytes_of(*this)) return *bytes;
  refuse(fmt::format("tensor {}: {} values of shape ({}) are not a whole number of bytes below 2^63",
                     quoted_name(name), enum_name(dtype), fmt::join(shape, ", ")));
}

std::int64_t TensorInfo::values() const {
  return bytes() * 8 / bits_of(dtype);
}

std::string quoted_name(std::string_view name) {
  constexpr std::size_t kMost = 100;
  std::size_t length = std::min(name.size(), kMost);
  // Do not cut within a character of several bytes.
  while (length > 0 && length < name.size() && (static_cast<unsigned char>(name[length]) & 0xC0u) == 0x80u)
    --length;
  std::string out = "'" + std::string(name.substr(0, length));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return out + (length < name.size() ? "…'" : "'");
}

struct SafetensorsFile::State {
  std::string name;
  std::optional<MappedFile> mapping;
  std::string content;  // where it is not mapped
  std::vector<std::shared_ptr<const State>> shards;
  std::vector<std::filesystem::path> paths;
  Parsed parsed;
  std::size_t size = 0;

  std::string_view bytes() const { return mapping ? mapping->bytes() : std::string_view(content); }

  void check_unchanged() const {
    if (mapping) mapping->check_unchanged();
    for (const auto& shard : shards) shard->check_unchanged();
  }

  void open(const std::filesystem::path& path, const Context& context) {
    name = path.string();
    paths.push_back(path);
    // A pipe is opened once: its writer would get SIGPIPE between two readers.
    std::error_code unknown;
    if (std::filesystem::is_regular_file(path, unknown)) mapping.emplace(path);
    const std::string_view mapped = bytes();
    // The first bytes of a compressed file are a possible length of a header, but no header follows.
    if (mapped.size() <= kLengthBytes || (first_of_json(mapped.substr(kLengthBytes)) != '{' &&
                                          compression_of_content(mapped) != Compression::none)) {
      mapping.reset();
      content = read_file(path, context.memory_left(), context.stop);
    }
  }

  void read_tensors(const Context& context) {
    parsed = parse(bytes(), name, context);
    size = bytes().size();
  }

  void read_shards(const SafetensorsIndex& index, const std::filesystem::path& folder,
                   const Context& context) {
    const auto fail = [&](const std::string& what) {
      throw Error(ErrorCode::format, fmt::format("{}: {}", name, what));
    };
    for (std::size_t s = 0; s < index.shards.size(); ++s) {
      const std::string& shard_name = index.shards[s];
      std::error_code error;
      if (!std::filesystem::exists(folder / shard_name, error)) {
        fail(fmt::format("its shard {} is not there; all {} must lie beside the index",
                         quoted_name(shard_name), count_of(index.shards.size(), "shard")));
      }
      const auto shard = std::make_shared<State>();
      shard->open(folder / shard_name, context);
      shard->read_tensors(context);
      for (const TensorView& tensor : shard->parsed.tensors) {
        const auto found = index.tensors.find(tensor.name);
        if (found == index.tensors.end() || found->second != s) {
          fail(fmt::format(
              "tensor {} lies in {}; the index {}", quoted_name(tensor.name), quoted_name(shard_name),
              found == index.tensors.end() ? "does not name it"
                                           : "says in " + quoted_name(index.shards[found->second])));
        }
        parsed.tensors.push_back(tensor);
      }
      parsed.metadata.insert(shard->parsed.metadata.begin(), shard->parsed.metadata.end());
      parsed.header_bytes += shard->parsed.header_bytes;
      size += shard->size;
      paths.push_back(folder / shard_name);
      shards.push_back(shard);
    }
    std::sort(parsed.tensors.begin(), parsed.tensors.end(), by_name);
    auto tensor = parsed.tensors.begin();  // each is in the index; both are in the order of their names
    for (const auto& [known, shard] : index.tensors) {
      if (tensor == parsed.tensors.end() || tensor->name != known) {
        fail(fmt::format("tensor {} is not in its shard {}", quoted_name(known),
                         quoted_name(index.shards[shard])));
      }
      ++tensor;
    }
  }
};

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path, const Context& context) {
  const auto state = std::make_shared<State>();
  state->open(path, context);
  if (is_json(state->bytes())) {
    context.require_memory(index_memory(state->bytes()), "reading the index " + state->name);
    state->read_shards(parse_safetensors_index(state->bytes(), state->name), path.parent_path(), context);
  } else {
    state->read_tensors(context);
  }
  state_ = state;
}

SafetensorsFile::SafetensorsFile(std::string bytes, const std::string& name, const Context& context) {
  const auto state = std::make_shared<State>();
  state->name = name;
  state->content = std::move(bytes);
  state->read_tensors(context);
  state_ = state;
}

void SafetensorsFile::check_unchanged() const {
  state_->check_unchanged();
}

const std::string& SafetensorsFile::name() const {
  return state_->name;
}

const std::vector<TensorView>& SafetensorsFile::tensors() const {
  return state_->parsed.tensors;
}

const TensorView* SafetensorsFile::find(std::string_view name) const {
  const auto& tensors = state_->parsed.tensors;
  const auto found = std::lower_bound(tensors.begin(), tensors.end(), name,
                                      [](const TensorView& a, std::string_view b) { return a.name < b; });
  return found != tensors.end() && found->name == name ? &*found : nullptr;
}

const TensorView& SafetensorsFile::at(std::string_view name) const {
  if (const TensorView* tensor = find(name)) return *tensor;
  throw Error(ErrorCode::format, fmt::format("{}: there is no tensor {}", state_->name, quoted_name(name)));
}

const TensorMetadata& SafetensorsFile::metadata() const {
  return state_->parsed.metadata;
}

std::int64_t SafetensorsFile::size() const {
  return static_cast<std::int64_t>(state_->size);
}

const std::vector<std::filesystem::path>& SafetensorsFile::paths() const {
  return state_->paths;
}

std::int64_t SafetensorsFile::header_bytes() const {
  return static_cast<std::int64_t>(state_->parsed.header_bytes);
}

void write_safetensors(const OutputPath& path, std::span<const TensorView> tensors,
                       const TensorMetadata& metadata,
                       const std::function<void(const std::filesystem::path&)>& verify) {
  for (const TensorView& tensor : tensors) check_bytes(tensor, tensor.data.size());
  const std::vector<TensorInfo> infos(tensors.begin(), tensors.end());
  write_safetensors(
      path, infos, [&](std::size_t i) { return tensors[i].data; }, metadata, verify);
}

void write_safetensors(const OutputPath& path, std::span<const TensorInfo> tensors,
                       const std::function<std::span<const std::uint8_t>(std::size_t)>& data,
                       const TensorMetadata& metadata,
                       const std::function<void(const std::filesystem::path&)>& verify) {
  std::vector<const TensorInfo*> infos;
  for (const TensorInfo& tensor : tensors) infos.push_back(&tensor);
  infos = in_order(std::move(infos));
  const std::string header = safetensors_header(infos, with_format(metadata));
  AtomicFile file(path);
  file.write(header);
  for (const TensorInfo* info : infos) {
    const auto bytes = data(static_cast<std::size_t>(info - tensors.data()));
    check_bytes(*info, bytes.size());
    file.write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  if (verify) {
    const std::filesystem::path written = file.finish();
    if (!written.empty()) verify(written);
  }
  file.commit();
}

std::int64_t safetensors_size(std::span<const TensorInfo> tensors, const TensorMetadata& metadata) {
  std::vector<const TensorInfo*> infos;
  std::int64_t bytes = 0;
  for (const TensorInfo& tensor : tensors) infos.push_back(&tensor);
  infos = in_order(std::move(infos));
  const std::string header = safetensors_header(infos, with_format(metadata));  // refuses what overflows
  for (const TensorInfo* info : infos) bytes += info->bytes();
  return static_cast<std::int64_t>(header.size()) + bytes;
}

}  // namespace parsimony
