// The table of methods. A new method is one value of Method, with its name, and one row here.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "parsimony/cluster/cluster.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/options.hpp"

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
  std::function<std::int64_t(CsrView adjacency, const ClusterOptions& options, const Context& context)>
      estimate_memory;
  std::function<ClusterResult(CsrView adjacency, const ClusterOptions& options, const MethodInputs& inputs,
                              const Context& context)>
      run;
};

/// Copies the field of this name, unless the user leaves it to the method. A field that ClusterOptions does
/// not have, or has with another type, throws Error(internal).
template <class T>
void take_field(const ClusterOptions& from, std::string_view name, T& value) {
  bool found = false;
  describe(from, [&]<class Given>(const Field& field, const Given& given) {
    if constexpr (std::is_same_v<Given, T>) {
      if (field.name != name) return;
      found = true;
      if constexpr (std::is_arithmetic_v<T>) {
        if (!field.word.empty() && static_cast<double>(given) == field.word_value) return;
      }
      value = given;
    }
  });
  if (found) return;
  throw Error(ErrorCode::internal, "ClusterOptions has no field " + std::string(name) + " of this type");
}

/// The options of a method: all fields that are given, and its defaults for those left to it.
template <class Options>
Options options_of(const ClusterOptions& from) {
  Options out;
  describe(out, [&](const Field& field, auto& value) { take_field(from, field.name, value); });
  return out;
}

/// One row for each method.
std::span<const MethodRow> method_table();
const MethodRow& row_of(Method method);

}  // namespace parsimony::cluster
