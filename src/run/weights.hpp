// The tensors of a model file by name, in codes or as floats.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/core/safetensors.hpp"
#include "parsimony/quant/compact_file.hpp"
#include "parsimony/quant/packed_linear.hpp"
#include "quant/packed/packed_size.hpp"

namespace parsimony::run {

/// Memory of a thread besides what it computes with: its stack, and what the allocator keeps for it.
inline constexpr std::int64_t kThreadBytes = 1 << 20;

class Weights {
 public:
  /// Throws what SafetensorsFile and read_compact_file throw.
  explicit Weights(const std::filesystem::path& path, const Context& context);

  const std::string& name() const { return file_.name(); }
  bool has(std::string_view tensor) const;
  /// Whether the name of a tensor begins so.
  bool has_part(std::string_view prefix) const;
  /// Throws format for a tensor that is missing.
  std::vector<std::int64_t> shape_of(const std::string& tensor) const;
  /// Throws format for a tensor that is missing or has another shape.
  void check_shape(const std::string& tensor, std::span<const std::int64_t> shape) const;

  bool in_codes(std::string_view tensor) const;
  /// The codes, in the mapped file: a copy keeps it open. Throws format unless the outputs are the first
  /// dimension.
  const quant::QuantizedTensor& codes(std::string_view tensor) const;
  /// The values in the file; valid while a copy of files() lives. Throws format unless they are float32,
  /// float16 or bfloat16.
  const TensorView& floats(const std::string& tensor) const;
  /// The values of a small tensor of that shape.
  std::vector<float> values(const std::string& tensor, std::span<const std::int64_t> shape) const;

  /// The description of the network in the metadata; nullptr without one.
  const std::string* network() const;
  /// How messages name it.
  std::string network_name() const { return name() + ": " + std::string(quant::kNetworkKey); }

  /// Number of values of all tensors.
  std::int64_t value_count() const;
  /// Those that are not in codes.
  std::int64_t float_count() const;
  /// Most memory of all weights in codes as layers with these options.
  quant::PackedBytes packed_bytes(const quant::PackedLinearOptions& options) const;
  /// Number of values of the weights in codes that have at most so many each.
  std::int64_t coded_values(std::int64_t most) const;
  /// The files that hold the floats.
  std::vector<SafetensorsFile> files() const;
  void check_unchanged() const { file_.check_unchanged(); }

  [[noreturn]] void fail(std::string_view tensor, const std::string& what) const;

 private:
  std::string_view resolved(std::string_view tensor) const;

  SafetensorsFile file_;
  std::optional<quant::CompactModel> compact_;
  std::map<std::string, std::size_t, std::less<>> codes_;  // index of the weight
  std::map<std::string, const TensorView*, std::less<>> floats_;
};

/// The config.json that describes the network: the one in `folder`; without one, none where the metadata of
/// the file describe it; else the one beside the model, which may be missing. Throws io for a folder that
/// cannot be read.
std::optional<std::filesystem::path> config_file(const Weights& weights, const std::filesystem::path& model,
                                                 const std::filesystem::path& folder);

/// Rows and columns of a weight. Throws format unless it has two dimensions of at least 1.
std::array<std::int64_t, 2> matrix_shape(const Weights& weights, const std::string& tensor);

}  // namespace parsimony::run
