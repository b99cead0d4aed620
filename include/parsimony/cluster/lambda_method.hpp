// The ways in which the methods on filtered signals find the cut-off λ_k of their filter.
#pragma once

#include "parsimony/core/options.hpp"

namespace parsimony::cluster {

enum class LambdaMethod {
  moments,   ///< one Chebyshev pass gives the count function for all λ
  bisection  ///< as in the papers: one filter pass for each λ tried
};

constexpr auto names_of(LambdaMethod) {
  using enum LambdaMethod;
  return enum_names<LambdaMethod>({{moments, "moments"}, {bisection, "bisection"}});
}

}  // namespace parsimony::cluster
