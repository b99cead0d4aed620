#include "quant/plan/layer_scheme.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "core/count_of.hpp"
#include "core/name_pattern.hpp"
#include "parsimony/core/error.hpp"
#include "quant/plan/rule_text.hpp"

namespace parsimony::quant {
namespace {

using Kind = LayerScheme::Kind;

constexpr std::size_t kLongestText = 4096;

[[noreturn]] void refuse_word(std::string_view word) {
  refuse(fmt::format(
      "scheme: '{}'; must be auto, int2 to int8, levels2 to levels4, nf4, pq, pq8 (blocks of 8), pq8x1024 "
      "(1024 centroids) or float, the integers and levels with g64 for groups of 64: int4g64",
      word));
}

// A number at the front of the text, which it is taken from; 0 if there is none.
std::int64_t take_number(std::string_view& text) {
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{}) return 0;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

bool take(std::string_view& text, std::string_view front) {
  if (!text.starts_with(front)) return false;
  text.remove_prefix(front.size());
  return true;
}

bool convolutional(const std::set<Role>& roles) {
  return roles.contains(Role::convolution) || roles.contains(Role::pointwise) ||
         roles.contains(Role::depthwise);
}

std::string preset_text(Preset preset, const std::set<Role>& roles) {
  const std::string sensitive = "stem|token-type|position=int8,";
  switch (preset) {
    case Preset::paper:
      return convolutional(roles) ? "stem=int8,pointwise=pq4,depthwise|convolution=pq,linear|classifier=pq8"
                                  : "stem|token-type=int8,attention=pq4,*=pq8";
    case Preset::small:
      return convolutional(roles)
                 ? "stem=int8,pointwise=pq8,depthwise=int4,convolution=pq,linear|classifier=pq8"
                 : sensitive + "*=levels3g64";
    case Preset::accurate:
      return convolutional(roles) ? "stem|depthwise=int8,*=int6" : sensitive + "*=levels4g64";
    default:
      return "";
  }
}

// Product codes ruin these layers, and integers cost them few bytes: those with few inputs of an output,
// those that all later layers depend on, and those that are too small for a codebook. A rule that names them
// still puts them into product codes.
bool stands_no_products(const TensorInfo& coded, Role role) {
  constexpr std::int64_t kFewClasses = 256;
  return role == Role::stem || role == Role::token_type || role == Role::depthwise ||
         (role == Role::classifier && coded.shape[0] <= kFewClasses);
}

}  // namespace

LayerScheme parse_scheme(std::string_view word) {
  LayerScheme scheme;
  std::string_view rest = word;
  const auto read_bits = [&](std::int64_t least, std::int64_t most) {
    const std::int64_t bits = take_number(rest);
    if (bits < least || bits > most) refuse_word(word);
    scheme.bits = static_cast<int>(bits);
  };
  bool groups = true;
  if (take(rest, "auto")) {
    groups = false;
  } else if (take(rest, "float")) {
    scheme.kind = Kind::floats;
    groups = false;
  } else if (take(rest, "int")) {
    scheme.kind = Kind::integer;
    read_bits(2, 8);
  } else if (take(rest, "levels")) {
    scheme.kind = Kind::levels;
    read_bits(2, 4);
  } else if (take(rest, "nf4")) {
    scheme.kind = Kind::nf4;
    scheme.bits = 4;
  } else if (take(rest, "pq")) {
    scheme.kind = Kind::product;
    groups = false;
    const auto number = [&](std::int64_t most) {
      const std::int64_t value = take_number(rest);
      if (value < 1 || value > most) refuse_word(word);
      return value;
    };
    if (!rest.empty() && rest[0] != 'x') scheme.block_size = number(4096);
    if (take(rest, "x")) scheme.centroids = number(1 << 16);
  } else {
    refuse_word(word);
  }
  if (groups && take(rest, "g")) {
    scheme.group = take_number(rest);
    if (scheme.group < 1 || scheme.group > 1 << 20) refuse_word(word);
  }
  if (!rest.empty()) refuse_word(word);
  return scheme;
}

SchemeRules::SchemeRules(const CompressOptions& options, const std::set<Role>& roles) : roles_(roles) {
  if (options.scheme.size() > kLongestText) {
    refuse(fmt::format("scheme: {}; must have at most {}", count_of(options.scheme.size(), "character"),
                       kLongestText));
  }
  const bool only_preset = options.preset != Preset::none && options.scheme == CompressOptions().scheme;
  if (!only_preset) add(options.scheme, false);
  add(preset_text(options.preset, roles), true);
}

void SchemeRules::add(const std::string& text, bool preset) {
  if (text.empty() && preset) return;
  for (const TextRule& item : text_rules(text)) {
    Rule rule{.scheme = parse_scheme(item.word), .preset = preset};
    if (item.selector.empty()) {
      refuse(fmt::format("scheme: '{}' selects nothing; must have a role, a name or * before =", item.text));
    }
    if (item.selector != "*") {
      for (const std::string& token : split(item.selector, '|')) {
        Selector& selector = rule.selectors.emplace_back(Selector{.text = token});
        for (const auto& [role, name] : names_of(Role{})) {
          if (name == token) selector.role = role;
        }
        if (!selector.role) selector.name = name_pattern("scheme", token);
      }
    }
    rules_.push_back(std::move(rule));
  }
}

LayerScheme SchemeRules::scheme_for(const TensorInfo& coded, Role role) {
  std::optional<LayerScheme> found;
  for (Rule& rule : rules_) {
    bool selects = rule.selectors.empty();
    for (Selector& selector : rule.selectors) {
      const bool here =
          selector.role ? *selector.role == role : std::regex_search(coded.name, *selector.name);
      selector.used = selector.used || here;
      selects = selects || here;
    }
    if (!selects || found) continue;
    found = rule.scheme;
    const bool for_all = rule.selectors.empty();
    if (for_all && found->kind == Kind::product && stands_no_products(coded, role)) {
      found = LayerScheme{.kind = Kind::integer, .bits = 8};
    }
  }
  return found.value_or(LayerScheme{});
}

void SchemeRules::check_all_used(const Context& context) const {
  std::vector<std::string_view> present;
  for (const Role role : roles_) present.push_back(enum_name(role));
  const bool selects_any = std::any_of(rules_.begin(), rules_.end(), [](const Rule& rule) {
    return rule.selectors.empty() || std::any_of(rule.selectors.begin(), rule.selectors.end(),
                                                 [](const Selector& selector) { return selector.used; });
  });
  for (const Rule& rule : rules_) {
    for (const Selector& selector : rule.selectors) {
      if (selector.used || rule.preset) continue;
      const std::string fault =
          fmt::format("scheme: '{}' selects no layer; {}the roles of this model are {}", selector.text,
                      selector.role ? "" : "it is a pattern of names, ", fmt::join(present, ", "));
      if (!selector.role || !selects_any) refuse(fault);
      context.log(LogLevel::info, fault);
    }
  }
}

bool SchemeRules::any(LayerScheme::Kind kind) const {
  for (const Rule& rule : rules_) {
    if (rule.scheme.kind == kind) return true;
  }
  return rules_.empty() && kind == Kind::automatic;
}

CompressOptions with_preset(CompressOptions options, const std::set<Role>& roles) {
  if (options.preset == Preset::none) return options;
  options.half = true;
  if (convolutional(roles) && options.codebook == CompressOptions().codebook) {
    options.codebook = CodebookType::int8;
  }
  return options;
}

}  // namespace parsimony::quant
