// Networks that compute from the codes of their compact files, without LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/data/encoder_config.hpp"
#include "parsimony/quant/packed_linear.hpp"

namespace parsimony::run {

enum class Precision {
  automatic,  ///< integers8 where the processor has a product of four bytes (AVX-512 VNNI), else integers7
  exact,      ///< float32
  integers8,  ///< see quant::TileProduct
  integers7,
  integers6
};

constexpr auto names_of(Precision) {
  using enum Precision;
  return enum_names<Precision>({{automatic, "auto"},
                                {exact, "exact"},
                                {integers8, "integers8"},
                                {integers7, "integers7"},
                                {integers6, "integers6"}});
}

struct LoadOptions {
  /// Products with weights in codes. `exact` equals the network with decoded weights up to the rounding of
  /// float32, and takes two to four times as long. Weights that are floats in the file are multiplied in
  /// float32 at any precision.
  Precision precision = Precision::automatic;
  /// Weights that stay in memory in the order of the integer products, see quant::KeepTiles. `never` takes
  /// the least memory, as codes of 4 and 8 bits stay in the mapped file; `always` is the fastest for texts of
  /// some ten tokens, and takes a byte for each weight. For products it takes integers for fewer tokens
  /// than `auto`, which has tables for these, so that results differ by the error of the precision.
  quant::KeepTiles keep_tiles = quant::KeepTiles::automatic;
  /// Folder with config.json, and the tokenizer for texts. Empty: the folder of the model.
  std::filesystem::path folder;
};

template <OptionsOf<LoadOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(
      Field{
          "precision",
          "products with weights in codes: exact is float32; integers take a half to a quarter of its time"},
      options.precision);
  visit(Field{"keep_tiles",
              "weights that stay in memory in the order of the products: auto those of codes of more than 4 "
              "bits; always is "
              "faster for short texts and takes a byte for each weight; never takes the least memory"},
        options.keep_tiles);
  visit(Field{"folder", "folder with config.json and the tokenizer, where it is not that of the model"},
        options.folder);
}

class Weights;

/// An encoder of text with its weights. Copies share them, and threads may use one at the same time.
///
/// Linear layers and embeddings compute from codes (quant::PackedLinear, quant::PackedEmbedding), which take
/// as many bytes as in the file, or a byte each for products of fewer bits. Weights that are floats, and
/// integer codes of 4 bits, stay in the mapped file; those of 8 bits are copied into the order of the
/// products (option keep_tiles). No weight is ever decoded to floats as a whole.
class Network {
 public:
  const data::EncoderConfig& config() const;
  /// Classes of the classification head; 0 for a network without one.
  std::int64_t classes() const;
  Precision precision() const;    ///< never automatic
  std::int64_t bytes() const;     ///< memory of codes, codebooks, norms and biases
  std::int64_t in_codes() const;  ///< number of weights that compute from codes

 private:
  friend class Session;
  friend Network load(const std::filesystem::path&, const LoadOptions&, const Context&);
  friend Network load_encoder(const std::filesystem::path&, const data::EncoderConfig&, const LoadOptions&,
                              const Context&);
  static Network of(Weights& weights, data::EncoderConfig config, const LoadOptions& options,
                    const Context& context);
  struct Data;
  std::shared_ptr<const Data> data_;
};

/// Reads a BERT or RoBERTa [devlin2019bert, liu2019roberta]: a compact file or any safetensors file with the
/// names of Hugging Face's transformers, or a folder with model.safetensors or its index. Names may begin
/// with bert. or roberta.; classifier.… becomes the classification head, and other heads are not read.
///
/// Throws what SafetensorsFile, read_compact_file and read_encoder_config throw; format, naming file and
/// tensor, for a weight that is missing or whose shape is not that of config.json; memory_limit where the
/// network would not fit the limit of the context.
Network load(const std::filesystem::path& model, const LoadOptions& options = {},
             const Context& context = Context{});

/// The same for the network that `config` describes, whatever the file and its folder tell. Throws format
/// also for a file with more layers.
Network load_encoder(const std::filesystem::path& model, const data::EncoderConfig& config,
                     const LoadOptions& options = {}, const Context& context = Context{});

}  // namespace parsimony::run
