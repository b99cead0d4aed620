// Command-line flags out of the one description that every options struct has.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "parsimony/core/options.hpp"

namespace parsimony::cli {

/// "edge_list" → "edge-list".
std::string kebab(std::string_view name);

/// A message of the library with its options as flags of the app: "seed: …" becomes "--seed: …", and "option
/// max_memory" becomes "--max-memory" anywhere.
std::string in_flags(std::string message, const CLI::App& app);

/// A whole number ("10", "1e6", "10k", "4GiB") or a real one; throws Error(invalid_argument) naming the flag.
template <class T>
T parse_number(std::string_view flag, std::string_view text);

/// The visitor of describe(): each field becomes a flag of the app, its help, range, choices and default
/// included.
class Flags {
 public:
  Flags(CLI::App& app, std::string group) : app_(app), group_(std::move(group)) {}

  /// The flag of a numeric field also takes this word, which stands for the value and is shown when it is the
  /// default.
  Flags& word(std::string_view field, std::string word, double value) {
    words_[std::string(field)] = {std::move(word), value};
    return *this;
  }
  /// The fields that follow are those of this method. A flag sets the field of its name in every method that
  /// has one; its help and default are those of the first.
  Flags& method(std::string name) {
    method_ = std::move(name);
    return *this;
  }
  /// Adds to the help of every flag that not all methods have the names of those that do.
  void name_methods() const;
  /// Throws Error(invalid_argument) when a flag was given that the method does not have.
  void check_method(std::string_view method) const;

  /// The flag of this field must be given.
  Flags& require(std::string_view field) {
    required_ = field;
    return *this;
  }

  template <class T>
  void operator()(const Field& field, T& value) const {
    if constexpr (std::is_same_v<T, bool>) {
      add_switch(field, value);
    } else if constexpr (std::is_enum_v<T>) {
      std::map<std::string, T> choices;
      std::string list;
      for (const auto& [candidate, name] : names_of(T{})) {
        list += (list.empty() ? "" : "|") + kebab(name);
        choices.emplace(kebab(name), candidate);
      }
      add(field, "NAME", list + ", default " + kebab(enum_name(value)),
          [&value, choices, list](const std::string& flag, const std::string& text) {
            const auto found = choices.find(text);
            if (found == choices.end()) bad_choice(flag, text, list);
            value = found->second;
          });
    } else {
      const auto special = words_.find(std::string(field.name));
      const Word word = special == words_.end() ? Word{} : special->second;
      add(field, std::is_integral_v<T> ? "N" : "X",
          range_and_default(field, static_cast<double>(value), word),
          [&value, field, word](const std::string& flag, const std::string& text) {
            if (!word.text.empty() && text == word.text) {  // may stand for a value outside of the range
              value = static_cast<T>(word.value);
              return;
            }
            const T parsed = parse_number<T>(flag, text);
            Field named = field;
            named.name = flag;
            Validate{}(named, parsed);
            value = parsed;
          });
    }
  }

 private:
  struct Word {
    std::string text;
    double value = 0;
  };
  using Setter = std::function<void(const std::string& flag, const std::string& text)>;

  void add(const Field& field, const std::string& type, const std::string& note, Setter set) const;
  void add_switch(const Field& field, bool& value) const;
  std::string range_and_default(const Field& field, double value, const Word& word) const;
  [[noreturn]] static void bad_choice(const std::string& flag, const std::string& text,
                                      const std::string& list);

  struct Shared {
    std::vector<std::string> methods;
    std::vector<Setter> setters;  // one of each method
  };

  CLI::App& app_;
  std::string group_;
  std::map<std::string, Word> words_;
  std::string required_;
  std::string method_;
  std::shared_ptr<std::map<std::string, Shared>> shared_ = std::make_shared<std::map<std::string, Shared>>();
};

/// --threads and --quiet, which every long verb has.
void add_run_flags(CLI::App& app, int& threads, bool& quiet);

}  // namespace parsimony::cli
