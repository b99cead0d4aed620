// One description of an options struct serves validation, command-line flags, the JSON record and the docs.
//
// Each algorithm writes beside its struct
//   template <OptionsOf<KMeansOptions> Options, class Visitor>
//   void describe(Options& options, Visitor&& visit) {
//     visit(Field{"clusters", "number of clusters", 1, kMaxClusters}, options.clusters);
//     …
//   }
// A visitor is a function object over (Field, value): Validate below, Record in report.hpp, Flags of the
// command.
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

/// One field of an options struct.
struct Field {
  std::string_view
      name;  ///< as in the struct, in snake_case; the flag of the command is --name-in-kebab-case
  std::string_view help;  ///< one line: meaning, unit, and when to change it
  /// Closed range of a numeric field; no bound by default. Give the range that the algorithm accepts:
  /// messages, flags and docs repeat it.
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  /// A numeric field may also take one word, such as "auto" or "unlimited", that stands for word_value. This
  /// value is valid even when it lies outside the range.
  std::string_view word = {};
  double word_value = 0;
  /// For a bool that is true by default: help of the flag --no-… that turns it off.
  std::string_view off_help = {};
};

/// Fields that many options have, so that all describe them in the same words.
inline constexpr Field kSeedField{"seed", "seed of all random numbers"};
inline constexpr Field kMaxMemoryField{"max_memory",
                                       "bytes that the whole run may use, with its inputs; one that needs "
                                       "more is refused; auto: the limit of the "
                                       "container, if it has one",
                                       1,
                                       9e18,
                                       "auto",
                                       0};

/// The struct or the const struct: one describe() serves readers and writers.
template <class Options, class Struct>
concept OptionsOf = std::same_as<std::remove_const_t<Options>, Struct>;

/// Names of an enumeration's values, as flags, JSON and messages show them. Define beside the enumeration, in
/// its namespace,
///   constexpr auto names_of(Color) {
///     using enum Color;
///     return enum_names<Color>({{red, "red"}, {green, "green"}});
///   }
template <class Enum, std::size_t N>
constexpr auto enum_names(const std::pair<Enum, std::string_view> (&names)[N]) {
  return std::to_array(names);
}

/// The name of a value; "?" for a number that the enumeration does not have.
template <class Enum>
std::string_view enum_name(Enum value) {
  for (const auto& [candidate, name] : names_of(Enum{})) {
    if (candidate == value) return name;
  }
  return "?";
}

/// Throws Error(invalid_argument) with the field, the value and the range.
[[noreturn]] void throw_out_of_range(const Field& field, double value);

/// Visitor that throws Error(invalid_argument) for a number outside the field's range (NaN always is) and for
/// an enumeration without that value.
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

/// Validates every field alone. Rules between fields are checked by the algorithm.
template <class Options>
void validate_fields(const Options& options) {
  describe(options, Validate{});
}

}  // namespace parsimony
