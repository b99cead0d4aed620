// The table of methods. A new method is one value of Method, with its name, and one row here.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "parsimony/cluster/cluster.hpp"

namespace parsimony::cluster {

/// The inputs of a method besides the graph and its options.
struct MethodInputs {
  std::span<const std::int32_t> initial;               ///< labels of a warm start, or empty
  const spectral::SpectralDensity* density = nullptr;  ///< density of the eigenvalues, or nullptr
};

struct MethodRow {
  Method method = Method::automatic;
  bool starts_warm = false;               ///< uses MethodInputs::initial
  std::vector<std::string_view> options;  ///< names of its options
  std::function<std::int64_t(CsrView adjacency, const ClusterOptions& options, int threads)> estimate_memory;
  std::function<ClusterResult(CsrView adjacency, const ClusterOptions& options, const MethodInputs& inputs,
                              const Context& context)>
      run;
};

/// One row for each method.
std::span<const MethodRow> method_table();
const MethodRow& row_of(Method method);

}  // namespace parsimony::cluster
