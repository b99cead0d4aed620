// How the layers of a model become codes: one word for each layer, by its role or name.
#pragma once

#include <cstdint>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/quant/compress.hpp"
#include "quant/plan/roles.hpp"

namespace parsimony::quant {

/// The meaning of a word such as int4, int4g64, levels3, nf4, pq, pq8, pq8x1024, float or auto.
struct LayerScheme {
  enum class Kind { automatic, integer, levels, nf4, product, floats };

  Kind kind = Kind::automatic;
  int bits = 8;                 ///< integers and levels
  std::int64_t group = 0;       ///< integers and levels; 0: by the options
  std::int64_t block_size = 0;  ///< products; 0: by the options, else by the shape
  std::int64_t centroids = 0;   ///< products; 0: by the options
};

/// Throws invalid_argument, naming the option scheme and all words, for another word.
LayerScheme parse_scheme(std::string_view word);

/// The options scheme and preset for one model.
class SchemeRules {
 public:
  /// roles: those of the weights of the model, which decide what a preset means. Throws invalid_argument for
  /// a text that is not of the form of CompressOptions::scheme.
  SchemeRules(const CompressOptions& options, const std::set<Role>& roles);

  /// The scheme of a weight, given as its codes see it, outputs first. The first rule that selects it counts.
  LayerScheme scheme_for(const TensorInfo& coded, Role role);
  /// For a name that selected no weight, or rules that selected none at all: throws invalid_argument, naming
  /// the roles of the model. A role that this model lacks is only logged, so that one text serves many
  /// models.
  void check_all_used(const Context& context) const;

  bool any(LayerScheme::Kind kind) const;

 private:
  struct Selector {
    std::string text;
    std::optional<Role> role;
    std::optional<std::regex> name;
    bool used = false;
  };
  struct Rule {
    std::vector<Selector> selectors;  // none: selects every weight
    LayerScheme scheme;
    bool preset = false;
  };
  void add(const std::string& text, bool preset);

  std::vector<Rule> rules_;
  std::set<Role> roles_;
};

/// The options with those that a preset changes beside the schemes.
CompressOptions with_preset(CompressOptions options, const std::set<Role>& roles);

}  // namespace parsimony::quant
