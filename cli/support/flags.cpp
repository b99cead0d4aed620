#include "support/flags.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <set>

#include "parsimony/core/nearest_name.hpp"

namespace parsimony::cli {
namespace {

// The text without its suffix, and the factor of the suffix: powers of 1000 for k M G T, of 1024 for Ki Mi Gi
// Ti. A final "B" (bytes) changes nothing.
std::pair<std::string_view, double> split_suffix(std::string_view text) {
  double factor = 1;
  if (text.ends_with('B')) text.remove_suffix(1);
  const bool binary = text.ends_with('i');
  if (binary) text.remove_suffix(1);
  constexpr std::string_view kPrefixes = "kMGT";
  if (!text.empty()) {
    const char last = text.back() == 'K' ? 'k' : text.back();
    const auto power = kPrefixes.find(last);
    if (power != std::string_view::npos) {
      factor = std::pow(binary ? 1024 : 1000, static_cast<double>(power) + 1);
      text.remove_suffix(1);
    } else if (binary) {
      text = {};  // "12i"
    }
  }
  return {text, factor};
}

bool parse_real(std::string_view text, double& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

// CLI11 keeps only the help of an option. The options of a program live until its end.
std::map<const CLI::Option*, FlagValues>& all_values() {
  static std::map<const CLI::Option*, FlagValues> values;
  return values;
}

// "auto or 1 to 16, default auto", "a|b|c, default a".
std::string note_text(const FlagValues& values, bool names) {
  std::vector<std::string> parts;
  if (names) {
    parts.push_back(fmt::format("{}", fmt::join(values.words, "|")));
  } else {
    std::string range = values.low.empty() && values.high.empty() ? ""
                        : values.high.empty()                     ? "at least " + values.low
                        : values.low.empty()                      ? "at most " + values.high
                                                                  : values.low + " to " + values.high;
    if (!values.words.empty()) range = values.words.front() + " or " + (range.empty() ? "a number" : range);
    if (!range.empty()) parts.push_back(range);
  }
  if (!values.standard.empty()) parts.push_back("default " + values.standard);
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace

std::string kebab(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

std::string in_flags(std::string message, const CLI::App& app) {
  // Replaces message[begin, name) and the name after it by the flag of that name, if the app has one and the
  // text `after` follows.
  const auto replace = [&](std::size_t begin, std::size_t name, std::string_view after) {
    const std::size_t end =
        std::min(message.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", name), message.size());
    const std::string flag = "--" + kebab(std::string_view(message).substr(name, end - name));
    if (message.compare(end, after.size(), after) != 0 || app.get_option_no_throw(flag) == nullptr) return;
    message.replace(begin, end - begin, flag);
  };
  replace(0, 0, ":");
  constexpr std::string_view kOption = "option ";
  for (std::size_t at = 0; (at = message.find(kOption, at)) != message.npos; ++at) {
    replace(at, at + kOption.size(), "");
  }
  return message;
}

bool names_flag(const std::string& message, const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional() && message.starts_with(option->get_name() + ": ")) return true;
    for (const std::string& name : option->get_lnames()) {
      const std::string flag = "--" + name;
      const auto at = message.find(flag);
      if (at == message.npos) continue;
      const char next = at + flag.size() < message.size() ? message[at + flag.size()] : ' ';
      if (next != '-' && std::isalnum(static_cast<unsigned char>(next)) == 0) return true;
    }
  }
  return false;
}

ExitCode exit_code(const Error& error, const std::string& message, const CLI::App& app) {
  if (error.code() == ErrorCode::invalid_argument && !names_flag(message, app)) return kFailed;
  return exit_code(error.code());
}

template <class T>
T parse_number(std::string_view flag, std::string_view text) {
  if constexpr (std::is_floating_point_v<T>) {
    double value = 0;
    if (parse_real(text, value)) return static_cast<T>(value);
    refuse(fmt::format("{}: '{}' is not a number", flag, text));
  } else {
    T whole = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
    if (error == std::errc{} && end == text.data() + text.size()) return whole;  // all 64 bits of a seed
    const auto [digits, factor] = split_suffix(text);
    double value = 0;
    if (!parse_real(digits, value) || !std::isfinite(value) ||
        std::nearbyint(value * factor) != value * factor) {
      refuse(fmt::format("{}: '{}' is not a whole number (10, 1e6, 10k, 4GiB)", flag, text));
    }
    value *= factor;
    constexpr auto kLow = static_cast<double>(std::numeric_limits<T>::min());
    constexpr auto kHigh = static_cast<double>(std::numeric_limits<T>::max());
    // kHigh is rounded up to a power of two where T has 64 bits.
    if (value < kLow || value > kHigh || (sizeof(T) == 8 && value == kHigh)) {
      refuse(fmt::format("{}: {} is out of range; must be from {} to {}", flag, text,
                         std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
    }
    return static_cast<T>(value);
  }
}

template double parse_number(std::string_view, std::string_view);
template int parse_number(std::string_view, std::string_view);
template std::int64_t parse_number(std::string_view, std::string_view);
template std::uint64_t parse_number(std::string_view, std::string_view);

const FlagValues* values_of(const CLI::Option& option) {
  const auto found = all_values().find(&option);
  return found == all_values().end() ? nullptr : &found->second;
}

FlagValues Flags::number_values(const Field& field, double value, const std::string& whole) {
  // A bound that no one reaches would only be read: 9e18 bytes, 2^30 clusters.
  const auto bound = [](double limit) { return std::abs(limit) < 1e9 ? fmt::format("{}", limit) : ""; };
  FlagValues values{.low = bound(field.low), .high = bound(field.high)};
  if (!field.word.empty()) values.words.emplace_back(field.word);
  const bool is_word = !field.word.empty() && value == field.word_value;
  values.standard = is_word ? std::string(field.word) : whole.empty() ? fmt::format("{}", value) : whole;
  return values;
}

void Flags::add(const Field& field, const std::string& type, const FlagValues& values, Setter set) const {
  const std::string flag = "--" + kebab(field.name);
  Shared& shared = (*shared_)[flag];
  shared.setters.push_back(std::move(set));
  if (shared.option == nullptr) {
    CLI::callback_t callback = [flag, &shared, owner = shared_](const CLI::results_t& texts) {
      for (const Setter& setter : shared.setters) setter(flag, texts.back());
      return true;
    };
    const auto alias = aliases_.find(std::string(field.name));
    const bool required = field.name == required_;
    FlagValues shown = values;
    if (required) shown.standard.clear();
    const std::string note = note_text(shown, type == "NAME");
    shared.option =
        app_.add_option(alias == aliases_.end() ? flag : flag + ",--" + kebab(alias->second),
                        std::move(callback),
                        note.empty() ? std::string(field.help) : fmt::format("{} ({})", field.help, note))
            ->required(required)
            ->type_name(type)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
            ->group(group_);
    all_values().emplace(shared.option, std::move(shown));
  }
  if (!method_.empty()) all_values()[shared.option].methods.push_back(method_);
}

void Flags::add_switch(const Field& field, bool& value) const {
  const std::string flag = (value ? "--no-" : "--") + kebab(field.name);
  Shared& shared = (*shared_)[flag];
  shared.setters.push_back(
      [&value, given = !value](const std::string&, const std::string&) { value = given; });
  if (shared.option == nullptr) {
    const auto callback = [flag, &shared, owner = shared_] {
      for (const Setter& setter : shared.setters) setter(flag, {});
    };
    const std::string help = !value                   ? std::string(field.help)
                             : field.off_help.empty() ? fmt::format("turn off: {}", field.help)
                                                      : std::string(field.off_help);
    shared.option = app_.add_flag_callback(flag, callback, help)->group(group_);
    all_values().emplace(shared.option, FlagValues{});
  }
  if (!method_.empty()) all_values()[shared.option].methods.push_back(method_);
}

void Flags::name_methods() const {
  std::set<std::string> all;
  for (const auto& [flag, shared] : *shared_) {
    const std::vector<std::string>& methods = values_of(*shared.option)->methods;
    all.insert(methods.begin(), methods.end());
  }
  for (const auto& [flag, shared] : *shared_) {
    const std::vector<std::string>& methods = values_of(*shared.option)->methods;
    if (methods.empty() || methods.size() >= all.size()) continue;
    shared.option->description(
        fmt::format("{}: {}", fmt::join(methods, ", "), shared.option->get_description()));
  }
}

void Flags::check_method(std::string_view method) const {
  for (const auto& [flag, shared] : *shared_) {
    const std::vector<std::string>& methods = values_of(*shared.option)->methods;
    if (shared.option->count() == 0 || std::ranges::find(methods, method) != methods.end()) continue;
    refuse(fmt::format("{}: --method {} has no such option; it is one of {}", flag, method,
                       fmt::join(methods, ", ")));
  }
}

void Flags::bad_choice(const std::string& flag, const std::string& text,
                       const std::vector<std::string>& words) {
  refuse(fmt::format("{}: '{}' is not one of {}{}", flag, text, fmt::join(words, "|"),
                     nearest_name(text, words)));
}

}  // namespace parsimony::cli
