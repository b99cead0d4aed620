#include "quant/plan/error_share.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "quant/plan/roles.hpp"

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
  switch (role_of(weight)) {
    case Role::stem:
      return 8;
    case Role::depthwise:
      return 4;
    case Role::position:
      return 0.125;
    case Role::embedding:
      return 0.5;
    case Role::attention:
      if (has_part(weight.name, {"query", "key", "q_proj", "k_proj", "q_lin", "k_lin"})) return 0.125;
      return has_part(weight.name, {"attention.output", "out_proj", "o_proj", "out_lin"}) ? 0.25 : 1;
    default:
      return has_part(weight.name, {"conv_pwl", "project_conv"}) ? 4 : 1;
  }
}

}  // namespace parsimony::quant
