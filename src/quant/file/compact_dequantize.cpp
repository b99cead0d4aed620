// Implements dequantize and write_dequantized of parsimony/quant/compact_file.hpp.
#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "parsimony/core/error.hpp"
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

}  // namespace

void write_dequantized(const std::filesystem::path& path, const CompactModel& model, const Context& context) {
  const std::vector<ModelTensor> tensors = model_tensors(model.recipe);
  const std::size_t weights = model.recipe.weights.size();
  for (std::size_t w = 0; w < weights; ++w) {
    check_memory(tensors[w], model.storage.empty() ? path.string() : model.storage.front().name());
  }
  std::vector<std::uint8_t> buffer;  // one tensor at a time: decoded, they may be far more than the file
  std::int64_t done = 0;
  const auto bytes = [&](std::size_t i) -> std::span<const std::uint8_t> {
    context.check_cancelled();
    context.progress("decode", ++done, std::ssize(tensors));
    const std::size_t source = tensors[i].source;
    if (source >= weights && model.others[source - weights].dtype == tensors[i].dtype) {
      return model.others[source - weights].data;
    }
    buffer.clear();
    buffer.shrink_to_fit();
    buffer = tensor_bytes(source < weights ? decode(model.weights[source], context)
                                           : float32_values(model.others[source - weights]),
                          tensors[i].dtype);
    return buffer;
  };
  try {
    write_safetensors(path, std::vector<TensorInfo>(tensors.begin(), tensors.end()), bytes,
                      model.recipe.metadata, [&](const std::filesystem::path&) { model.check_unchanged(); });
  } catch (const Error&) {
    model.check_unchanged();  // as in write_compact_file
    throw;
  }
}

CompactRecipe dequantize(const std::filesystem::path& compact, const std::filesystem::path& output,
                         const Context& context) {
  CompactModel model = read_compact_file(SafetensorsFile(compact, context.stop));
  write_dequantized(output, model, context);
  return std::move(model.recipe);
}

}  // namespace parsimony::quant
