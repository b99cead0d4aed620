#include "support/flags.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace parsimony::cli {
namespace {

// Text without its suffix, and what the suffix multiplies by: k M G T by 1000, Ki Mi Gi Ti by 1024, "B"
// ignored.
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

std::string number_text(double value) {
  return std::abs(value) < 1e7 ? fmt::format("{}", value) : fmt::format("{:g}", value);
}

}  // namespace

std::string kebab(std::string_view name) {
  std::string text(name);
  std::replace(text.begin(), text.end(), '_', '-');
  return text;
}

std::string in_flags(std::string message, const CLI::App& app) {
  // Replaces message[begin, name) and the name that follows by its flag, where there is one before `after`.
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

void Flags::add(const Field& field, const std::string& type, const std::string& note, Setter set) const {
  const std::string flag = "--" + kebab(field.name);
  Shared& shared = (*shared_)[flag];
  shared.methods.push_back(method_);
  shared.setters.push_back(std::move(set));
  if (shared.setters.size() > 1) return;
  CLI::callback_t callback = [flag, &shared, owner = shared_](const CLI::results_t& texts) {
    for (const Setter& setter : shared.setters) setter(flag, texts.back());
    return true;
  };
  const std::string help = fmt::format("{} ({})", field.help, note);
  app_.add_option(flag, std::move(callback), field.name == required_ ? std::string(field.help) : help)
      ->required(field.name == required_)
      ->type_name(type)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast)
      ->group(group_);
}

void Flags::add_switch(const Field& field, bool& value) const {
  const std::string flag = (value ? "--no-" : "--") + kebab(field.name);
  Shared& shared = (*shared_)[flag];
  shared.methods.push_back(method_);
  shared.setters.push_back(
      [&value, given = !value](const std::string&, const std::string&) { value = given; });
  if (shared.setters.size() > 1) return;
  app_.add_flag_callback(
          flag,
          [flag, &shared, owner = shared_] {
            for (const Setter& setter : shared.setters) setter(flag, {});
          },
          fmt::format("{}{}", value ? "do not " : "", field.help))
      ->group(group_);
}

void Flags::name_methods() const {
  std::size_t all = 0;
  for (const auto& [flag, shared] : *shared_) all = std::max(all, shared.methods.size());
  for (const auto& [flag, shared] : *shared_) {
    if (shared.methods.size() == all) continue;
    CLI::Option* option = app_.get_option(flag);
    option->description(fmt::format("{}: {}", fmt::join(shared.methods, ", "), option->get_description()));
  }
}

void Flags::check_method(std::string_view method) const {
  for (const auto& [flag, shared] : *shared_) {
    const auto& methods = shared.methods;
    if (app_.count(flag) == 0 || std::find(methods.begin(), methods.end(), method) != methods.end()) continue;
    refuse(fmt::format("{}: --method {} has no such option; it is one of {}", flag, method,
                       fmt::join(methods, ", ")));
  }
}

std::string Flags::range_and_default(const Field& field, double value, const Word& word) const {
  const bool is_word = !word.text.empty() && value == word.value;
  const std::string shown = is_word ? word.text : number_text(value);
  std::string range = word.text.empty() ? "" : word.text + " or ";
  if (std::abs(field.low) < 1e9 && std::abs(field.high) < 1e9) {
    range += fmt::format("{} to {}, ", number_text(field.low), number_text(field.high));
  } else if (std::abs(field.low) < 1e9) {
    range += fmt::format("at least {}, ", number_text(field.low));
  }
  return range + "default " + shown;
}

void add_run_flags(CLI::App& app, int& threads, bool& quiet) {
  const Flags flags = Flags(app, "Run").word("threads", "auto", 0);
  flags(Field{"threads", "threads; auto: all cores; the result is the same for any number", 0, 4096},
        threads);
  app.add_flag("-q,--quiet", quiet, "no progress bar and no notes")->group("Run");
}

void Flags::bad_choice(const std::string& flag, const std::string& text, const std::string& list) {
  refuse(fmt::format("{}: '{}' is none of {}", flag, text, list));
}

}  // namespace parsimony::cli
