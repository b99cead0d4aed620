// Command-line flags from the one description that every options struct has.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "parsimony/core/error.hpp"
#include "parsimony/core/options.hpp"
#include "support/exit_code.hpp"

namespace parsimony::cli {

/// "edge_list" → "edge-list".
std::string kebab(std::string_view name);

/// A message of the library with the names of options as flags of the app: "seed: …" becomes "--seed: …", and
/// "option max_memory" becomes "--max-memory" anywhere.
std::string in_flags(std::string message, const CLI::App& app);

/// Whether the message blames a flag or an argument of the app, which it names first or anywhere as a flag.
bool names_flag(const std::string& message, const CLI::App& app);

/// A whole number ("10", "1e6", "10k", "4GiB") or a real one; throws Error(invalid_argument) naming the flag.
template <class T>
T parse_number(std::string_view flag, std::string_view text);

/// The exit code for an error with this message, which has flags as in_flags() writes them. An invalid
/// argument that is not a flag came from a file: the data are wrong, not the usage.
ExitCode exit_code(const Error& error, const std::string& message, const CLI::App& app);

/// The values that a flag takes, each as help shows it and as it can be typed. Help, completion and tests
/// read them.
struct FlagValues {
  std::string low, high;             ///< bounds of a number; empty: no bound is shown
  std::string standard;              ///< the default; empty: none is shown
  std::vector<std::string> words;    ///< names of an enumeration, or the word of a number
  std::vector<std::string> methods;  ///< methods that have the flag; empty: it belongs to the verb itself
};

/// The values of a flag that Flags added; nullptr for any other.
const FlagValues* values_of(const CLI::Option& option);

/// Whether both names are of one object. Visitors of describe() pick a field by it: a field that is renamed
/// is still found, and one that is gone does not compile.
template <class A, class B>
bool same_object(const A& a, const B& b) {
  return static_cast<const void*>(&a) == static_cast<const void*>(&b);
}

/// The visitor of describe(): each field becomes a flag of the app with its help, range, words and default.
/// The values must outlive the parsing.
class Flags {
 public:
  Flags(CLI::App& app, std::string group) : app_(app), group_(std::move(group)) {}

  /// Fields that follow belong to this method. A flag sets the field of its name in every method that has
  /// one; its help and default are those of the first.
  Flags& method(std::string name) {
    method_ = std::move(name);
    return *this;
  }
  /// The flag of this field also goes by an older name, which help does not show.
  Flags& alias(std::string_view field, std::string name) {
    aliases_[std::string(field)] = std::move(name);
    return *this;
  }
  /// The flag of this field must be given.
  Flags& require(std::string_view field) {
    required_ = field;
    return *this;
  }
  /// Adds to the help of every flag that not all methods have the names of those that do.
  void name_methods() const;
  /// Throws Error(invalid_argument) when a flag was given that the method does not have.
  void check_method(std::string_view method) const;

  template <class T>
  void operator()(const Field& field, T& value) const {
    if constexpr (std::is_same_v<T, bool>) {
      add_switch(field, value);
    } else if constexpr (std::is_enum_v<T>) {
      FlagValues values{.standard = kebab(enum_name(value))};
      for (const auto& [candidate, name] : names_of(T{})) values.words.push_back(kebab(name));
      add(field, "NAME", values, [&value, words = values.words](const auto& flag, const auto& text) {
        for (const auto& [candidate, name] : names_of(T{})) {
          if (kebab(name) != text) continue;
          value = candidate;
          return;
        }
        bad_choice(flag, text, words);
      });
    } else if constexpr (std::is_arithmetic_v<T>) {
      add(field, std::is_integral_v<T> ? "N" : "X",
          number_values(field, static_cast<double>(value), std::is_integral_v<T> ? whole_text(value) : ""),
          [&value, field](const std::string& flag, const std::string& text) {
            if (!field.word.empty() && text == field.word) {
              value = static_cast<T>(field.word_value);
              return;
            }
            const T parsed = parse_number<T>(flag, text);
            // A number must lie in the range: only the word stands for a value outside it.
            Validate{}(Field{flag, field.help, field.low, field.high}, parsed);
            value = parsed;
          });
    } else {
      add(field, std::is_same_v<T, std::filesystem::path> ? "FILE" : "TEXT", {},
          [&value](const std::string&, const std::string& text) { value = text; });
    }
  }

 private:
  using Setter = std::function<void(const std::string& flag, const std::string& text)>;

  template <class T>
  static std::string whole_text(T value) {
    if constexpr (std::is_integral_v<T>) return std::to_string(value);
    return {};
  }
  static FlagValues number_values(const Field& field, double value, const std::string& whole);
  void add(const Field& field, const std::string& type, const FlagValues& values, Setter set) const;
  void add_switch(const Field& field, bool& value) const;
  [[noreturn]] static void bad_choice(const std::string& flag, const std::string& text,
                                      const std::vector<std::string>& words);

  struct Shared {
    CLI::Option* option = nullptr;
    std::vector<Setter> setters;  // one of each method
  };

  CLI::App& app_;
  std::string group_;
  std::map<std::string, std::string> aliases_;
  std::string required_;
  std::string method_;
  std::shared_ptr<std::map<std::string, Shared>> shared_ = std::make_shared<std::map<std::string, Shared>>();
};

}  // namespace parsimony::cli
