// Implements dequantize and write_dequantized of parsimony/quant/compact_file.hpp.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <utility>

#include "core/files/safetensors_index.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/quant/compact_file.hpp"
#include "parsimony/quant/decode.hpp"

namespace parsimony::quant {
namespace {

// A decoded weight takes memory as float32 values and as the bytes of its dtype.
void check_memory(const TensorInfo& weight, const std::string& file) {
  const double bytes =
      static_cast<double>(weight.values()) * sizeof(float) + static_cast<double>(weight.bytes());
  const double memory =
      static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  if (bytes <= memory) return;
  throw Error(ErrorCode::unsupported,
              fmt::format("{}: tensor {}: decoding it takes {:.1f} GB; this machine has {:.1f} GB", file,
                          quoted_name(weight.name), bytes / 1e9, memory / 1e9));
}

constexpr std::string_view kIndexEnding = ".safetensors.index.json";

bool names_index(const std::filesystem::path& path) {
  return path.filename().string().ends_with(kIndexEnding);
}

// The tensors of a model, decoded one at a time: together they may be far more than the file.
class Decoder {
 public:
  Decoder(const CompactModel& model, const Context& context)
      : model_(model), context_(context), tensors_(model_tensors(model.recipe)) {}

  const std::vector<ModelTensor>& tensors() const { return tensors_; }

  std::span<const std::uint8_t> bytes(std::size_t i) {
    context_.check_cancelled();
    context_.progress("decode", ++done_, std::ssize(tensors_));
    const std::size_t weights = model_.recipe.weights.size(), source = tensors_[i].source;
    if (source >= weights && model_.others[source - weights].dtype == tensors_[i].dtype) {
      return model_.others[source - weights].data;
    }
    buffer_.clear();
    buffer_.shrink_to_fit();
    buffer_ = tensor_bytes(source < weights ? decode(model_.weights[source], context_)
                                            : float32_values(model_.others[source - weights]),
                           tensors_[i].dtype);
    return buffer_;
  }

  // Writes some of the tensors.
  void write(const OutputPath& path, const std::vector<std::size_t>& places) {
    std::vector<TensorInfo> infos;
    infos.reserve(places.size());
    for (const std::size_t place : places) infos.push_back(tensors_[place]);
    write_safetensors(
        path, infos, [&](std::size_t i) { return bytes(places[i]); }, model_.recipe.metadata,
        [&](const std::filesystem::path&) { model_.check_unchanged(); });
  }

 private:
  const CompactModel& model_;
  const Context& context_;
  std::vector<ModelTensor> tensors_;
  std::vector<std::uint8_t> buffer_;
  std::int64_t done_ = 0;
};

// Cuts the tensors, in the order of their names, into parts of at most so many bytes, or of one larger
// tensor.
std::vector<std::vector<std::size_t>> cut(const std::vector<ModelTensor>& tensors, std::int64_t most) {
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return tensors[a].name < tensors[b].name; });
  std::vector<std::vector<std::size_t>> parts;
  std::int64_t bytes = 0;
  for (const std::size_t i : order) {
    const std::int64_t own = tensors[i].bytes();
    if (parts.empty() || bytes > most - std::min(own, most)) {
      parts.emplace_back();
      bytes = 0;
    }
    parts.back().push_back(i);
    bytes += own;
  }
  return parts;
}

// The shards and their index appear together, the index last.
void write_shards(const OutputPath& index_path, Decoder& decoder, std::int64_t shard_size) {
  const std::filesystem::path& path = index_path.path();
  OutputSet outputs(index_path);
  const std::string name = path.filename().string();
  const std::string stem = name.substr(0, name.size() - kIndexEnding.size());
  const auto parts = cut(decoder.tensors(), shard_size);
  SafetensorsIndex index;
  std::int64_t total = 0;
  for (std::size_t p = 0; p < parts.size(); ++p) {
    index.shards.push_back(fmt::format("{}-{:05}-of-{:05}.safetensors", stem, p + 1, parts.size()));
    for (const std::size_t i : parts[p]) {
      index.tensors.emplace(decoder.tensors()[i].name, p);
      total += decoder.tensors()[i].bytes();
    }
    decoder.write(outputs.file(path.parent_path() / index.shards.back()), parts[p]);
  }
  write_file(outputs.file(path), safetensors_index_text(index, total));
  outputs.commit();
}

}  // namespace

void write_dequantized(const OutputPath& path, const CompactModel& model, const Context& context,
                       const DequantizeOptions& options) {
  validate_fields(options);
  Decoder decoder(model, context);
  for (std::size_t w = 0; w < model.recipe.weights.size(); ++w) {
    check_memory(decoder.tensors()[w],
                 model.storage.empty() ? path.path().string() : model.storage.front().name());
  }
  std::int64_t largest = 0;
  for (const ModelTensor& tensor : decoder.tensors()) largest = std::max(largest, tensor.values());
  context.require_memory(2 * 4 * largest, "decoding the largest tensor");
  std::vector<std::size_t> all(decoder.tensors().size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  try {
    if (names_index(path.path())) {
      write_shards(path, decoder, options.shard_size);
    } else {
      decoder.write(path, all);
    }
  } catch (const Error&) {
    model.check_unchanged();  // as in write_compact_file
    throw;
  }
}

CompactRecipe dequantize(const std::filesystem::path& compact, const OutputPath& output,
                         const Context& context, const DequantizeOptions& options) {
  CompactModel model = read_compact_file(compact, context);
  write_dequantized(output, model, context, options);
  return std::move(model.recipe);
}

}  // namespace parsimony::quant
