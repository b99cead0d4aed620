// How the methods on filtered signals find the cut-off λ_k of their filter.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "parsimony/core/options.hpp"

namespace parsimony::cluster {

enum class LambdaMethod {
  moments,   ///< one Chebyshev pass gives the count function for all λ
  bisection  ///< the papers': a filter pass for each λ tried
};

}  // namespace parsimony::cluster

namespace parsimony {
template <>
struct EnumNames<cluster::LambdaMethod> {
  static constexpr std::array values{
      std::pair{cluster::LambdaMethod::moments, std::string_view("moments")},
      std::pair{cluster::LambdaMethod::bisection, std::string_view("bisection")}};
};
}  // namespace parsimony
