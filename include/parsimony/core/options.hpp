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
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "parsimony/core/error.hpp"

namespace parsimony {

/// Name (snake_case, as in the struct), one line of help, and the closed range of a numeric field. A field
/// may also take one word, "auto" or "unlimited", that stands for word_value; this value may lie outside the
/// range.
struct Field {
  std::string_view name;
  std::string_view help;
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  std::string_view word = {};
  double word_value = 0;
  std::string_view off_help =
      {};  ///< of a bool that is true by default: the help of the flag that turns it off
};

/// Options itself or const Options.
template <class Options, class Struct>
concept OptionsOf = std::same_as<std::remove_const_t<Options>, Struct>;

/// The names of an enumeration's values. Beside the enumeration, in its namespace, stands
///   constexpr auto names_of(Color) {
///     using enum Color;
///     return enum_names<Color>({{red, "red"}, {green, "green"}});
///   }
template <class Enum, std::size_t N>
constexpr auto enum_names(const std::pair<Enum, std::string_view> (&names)[N]) {
  return std::to_array(names);
}

template <class Enum>
std::string_view enum_name(Enum value) {
  for (const auto& [candidate, name] : names_of(Enum{})) {
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
      if (!field.word.empty() && number == field.word_value) return;
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
