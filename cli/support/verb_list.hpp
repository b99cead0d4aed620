// The verbs of the command with their flags and values, as completion and the tests of the flags read them.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "support/flags.hpp"

namespace parsimony::cli {

enum class FlagKind { off_or_on, number, name, file, text };

constexpr auto names_of(FlagKind) {
  using enum FlagKind;
  return enum_names<FlagKind>(
      {{off_or_on, "switch"}, {number, "number"}, {name, "name"}, {file, "file"}, {text, "text"}});
}

struct ListedFlag {
  std::string name;    ///< "--output", or "IN" for an argument
  std::string letter;  ///< "-o"; empty: none
  std::string help;
  std::string group;  ///< its heading in help
  FlagKind kind = FlagKind::text;
  bool required = false;
  FlagValues values;
};

struct ListedVerb {
  std::vector<std::string> path;  ///< "generate", "sbm"
  std::string summary;
  std::vector<std::string> verbs;  ///< the verbs below this one
  std::vector<ListedFlag> arguments;
  std::vector<ListedFlag> flags;
};

/// All verbs in the order of help, each before the verbs below it; the first is the program itself, whose
/// path is empty.
std::vector<ListedVerb> list_verbs(const CLI::App& program);

nlohmann::ordered_json verbs_json(const std::vector<ListedVerb>& verbs);

}  // namespace parsimony::cli
