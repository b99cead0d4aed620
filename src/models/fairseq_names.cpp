#include "models/fairseq_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace parsimony::models {
namespace {

constexpr std::string_view kDecoder = "decoder.";

constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kLayerParts{
    {{"self_attn.q_proj", "attention.query"},
     {"self_attn.k_proj", "attention.key"},
     {"self_attn.v_proj", "attention.value"},
     {"self_attn.out_proj", "attention.output"},
     {"self_attn_layer_norm", "attention_norm"},
     {"fc1", "feed_forward.0"},
     {"fc2", "feed_forward.2"},
     {"final_layer_norm", "feed_forward_norm"}}};

// Removes the beginning, if the text has it.
bool take(std::string_view& text, std::string_view beginning) {
  if (!text.starts_with(beginning)) return false;
  text.remove_prefix(beginning.size());
  return true;
}

// Removes a number and the dot after it; −1 if there is none.
std::int64_t take_number(std::string_view& text) {
  std::int64_t number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto length = static_cast<std::size_t>(end - text.data());
  if (error != std::errc{} || number < 0 || length == text.size() || *end != '.') return -1;
  text.remove_prefix(length + 1);
  return number;
}

std::optional<std::string> layer_name(std::string_view rest, bool share_adjacent) {
  const std::int64_t layer = take_number(rest);
  const std::size_t dot = rest.rfind('.');
  if (layer < 0 || dot == rest.npos) return std::nullopt;
  for (const auto& [theirs, ours] : kLayerParts) {
    if (rest.substr(0, dot) != theirs) continue;
    return fmt::format("layers.{}.{}{}", share_adjacent ? layer / 2 : layer, ours, rest.substr(dot));
  }
  return std::nullopt;
}

std::optional<std::string> band_name(std::int64_t band, bool projection, std::string_view rest) {
  if (band < 0 || rest != "weight") return std::nullopt;
  return fmt::format("embedding.bands.{}.{}.weight", band, projection ? "projection" : "words");
}

}  // namespace

bool has_fairseq_names(const std::set<std::string, std::less<>>& names) {
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return name.find("layers.0.self_attn.") != name.npos; });
}

std::optional<std::string> transformer_name(const std::string& fairseq_name,
                                            const TransformerOptions& options) {
  std::string_view rest = fairseq_name;
  take(rest, kDecoder);
  if (rest == "version" || rest.ends_with("_float_tensor") || rest == "adaptive_softmax.buffer") return "";
  if (take(rest, "layers.")) return layer_name(rest, options.share_adjacent);
  if (take(rest, "layer_norm.")) return fmt::format("norm.{}", rest);
  if (rest == "embed_tokens.weight") return "embedding.weight";
  if (rest == "output_projection.weight") {
    return options.tied_embeddings ? "embedding.weight" : "output.weight";
  }
  if (rest == "adaptive_softmax.head.class_proj.weight") return "output_classes.weight";
  if (rest == "adaptive_softmax.head.word_proj.weight") return band_name(0, false, "weight");
  if (take(rest, "embed_tokens.embeddings.")) {
    const std::int64_t band = take_number(rest), part = take_number(rest);
    return part > 1 ? std::nullopt : band_name(part < 0 ? -1 : band, part == 1, rest);
  }
  if (take(rest, "adaptive_softmax.tail.")) {  // a projection, dropout, the words
    const std::int64_t tail = take_number(rest), part = take_number(rest);
    if (tail < 0 || (part != 0 && part != 2)) return std::nullopt;
    return band_name(tail + 1, part == 0, rest);
  }
  return std::nullopt;
}

}  // namespace parsimony::models
