#include "quant/plan/error_share.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace parsimony::quant {
namespace {

// Whether one of the words is a part of the name, between dots, underscores or ends.
bool has_part(std::string_view name, std::initializer_list<std::string_view> words) {
  const auto ends_part = [&](std::size_t at) {
    return at >= name.size() || name[at] == '.' || name[at] == '_';
  };
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    for (auto at = name.find(word); at != std::string_view::npos; at = name.find(word, at + 1)) {
      if ((at == 0 || ends_part(at - 1)) && ends_part(at + word.size())) return true;
    }
    return false;
  });
}

}  // namespace

double error_share(const TensorInfo& weight) {
  const std::string_view name = weight.name;
  if (weight.shape.size() > 2) {
    if (weight.shape[1] <= 4 && has_part(name, {"conv_stem", "stem", "conv1", "features.0", "patch_embed"})) {
      return 8;
    }
    if (weight.shape[1] == 1) return 4;
    return has_part(name, {"conv_pwl", "project_conv"}) ? 4 : 1;
  }
  if (has_part(name, {"query", "key", "q_proj", "k_proj", "q_lin", "k_lin"})) return 0.125;
  if (has_part(name, {"position_embeddings", "embed_positions", "wpe"})) return 0.125;
  if (has_part(name, {"attention.output", "out_proj", "o_proj", "out_lin"})) return 0.25;
  if (has_part(name, {"embeddings", "embed_tokens", "embedding", "wte"})) return 0.5;
  return 1;
}

}  // namespace parsimony::quant
