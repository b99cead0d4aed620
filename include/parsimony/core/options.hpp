// One description per options struct serves validation, command-line flags, the JSON record and the docs.
//
// Beside its struct, each algorithm writes
//   template <OptionsOf<KMeansOptions> Options, class Visitor>
//   void describe(Options& options, Visitor&& visit) {
//     visit(Field{"clusters", "number of clusters", 1, kMaxClusters}, options.clusters);
//     …
//   }
// and every visitor below, or elsewhere, is a function object over (Field, value).
#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "parsimony/core/error.hpp"

namespace parsimony {

/// Name (snake_case, as in the struct), one line of help, and the closed range of a numeric field.
struct Field {
  std::string_view name;
  std::string_view help;
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

/// Options itself or const Options.
template <class Options, class Struct>
concept OptionsOf = std::same_as<std::remove_const_t<Options>, Struct>;

/// The names of an enumeration's values: specialise with
///   static constexpr std::array values{std::pair{Enum::one, std::string_view("one")}, …};
template <class Enum>
struct EnumNames;

template <class Enum>
std::string_view enum_name(Enum value) {
  for (const auto& [candidate, name] : EnumNames<Enum>::values) {
    if (candidate == value) return name;
  }
  return "?";
}

/// Throws Error(invalid_argument), naming the field and its range, for a value outside of it (NaN always is).
[[noreturn]] void throw_out_of_range(const Field& field, double value);

struct Validate {
  template <class T>
  void operator()(const Field& field, const T& value) const {
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
      const auto number = static_cast<double>(value);
      if (!(number >= field.low && number <= field.high)) throw_out_of_range(field, number);
    } else if constexpr (std::is_enum_v<T>) {
      if (enum_name(value) == "?") throw_out_of_range(field, static_cast<double>(value));
    }
  }
};

template <class Options>
void validate_fields(const Options& options) {
  describe(options, Validate{});
}

}  // namespace parsimony
