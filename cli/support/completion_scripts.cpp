#include "support/completion_scripts.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace parsimony::cli {
namespace {

std::string path_of(const ListedVerb& verb) {
  return fmt::format("{}", fmt::join(verb.path, " "));
}

// Verbs that have verbs below them, as a pattern of case: "generate|operator".
std::string groups_of(const std::vector<ListedVerb>& verbs) {
  std::vector<std::string> groups;
  for (const ListedVerb& verb : verbs) {
    if (!verb.path.empty() && !verb.verbs.empty()) groups.push_back(path_of(verb));
  }
  return fmt::format("{}", fmt::join(groups, "|"));
}

// The text with a backslash before each of these characters; a line break becomes a space.
std::string escaped(const std::string& text, std::string_view characters) {
  std::string out;
  for (const char c : text) {
    if (characters.find(c) != std::string_view::npos) out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

// In single quotes for bash and zsh, which have no escape inside them.
std::string single_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c == '\n' ? ' ' : c);
  return out + "'";
}

// A specification of zsh's _arguments.
std::string zsh_spec(const std::string& name, const ListedFlag& flag) {
  std::string spec = name + "[" + escaped(flag.help, "\\[]:") + "]";
  if (flag.kind == FlagKind::off_or_on) return single_quoted(spec);
  if (flag.kind == FlagKind::file) return single_quoted(spec + ":file:_files");
  return single_quoted(fmt::format("{}:value:({})", spec, fmt::join(flag.values.words, " ")));
}

}  // namespace

std::string bash_completion(const std::vector<ListedVerb>& verbs) {
  std::string places, values;
  for (const ListedVerb& verb : verbs) {
    std::vector<std::string> flags;
    for (const ListedFlag& flag : verb.flags) {
      flags.push_back(flag.name);
      if (flag.values.words.empty()) continue;
      values += fmt::format("    '{} {}') words='{}' ;;\n", path_of(verb), flag.name,
                            fmt::join(flag.values.words, " "));
    }
    places += fmt::format("    '{}') words='{}' flags='{}' ;;\n", path_of(verb), fmt::join(verb.verbs, " "),
                          fmt::join(flags, " "));
  }
  // bash splits --flag=value at the sign; where no list has the word, -o default completes file names.
  return fmt::format(R"(_parsimony() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} place= words= flags= before=$((COMP_CWORD - 1))
  ((COMP_CWORD > 1)) && place=${{COMP_WORDS[1]}}
  case $place in
    {}) ((COMP_CWORD > 2)) && place+=" ${{COMP_WORDS[2]}}" ;;
  esac
  case $place in
{}  esac
  [[ $word == -* ]] && words=$flags
  if [[ $word == = ]]; then word=; elif [[ ${{COMP_WORDS[before]}} == = ]]; then before=$((before - 1)); fi
  case "$place ${{COMP_WORDS[before]}}" in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _parsimony parsimony
)",
                     groups_of(verbs), places, values);
}

std::string zsh_completion(const std::vector<ListedVerb>& verbs) {
  std::string lists, arguments;
  for (const ListedVerb& verb : verbs) {
    if (!verb.verbs.empty()) {
      lists += fmt::format("    {})\n      found=(", single_quoted(path_of(verb)));
      for (const ListedVerb& below : verbs) {
        if (below.path.size() != verb.path.size() + 1) continue;
        if (!std::equal(verb.path.begin(), verb.path.end(), below.path.begin())) continue;
        lists += "\n        " + single_quoted(escaped(below.path.back(), ":") + ":" + below.summary);
      }
      lists += ")\n      _describe verb found\n      return ;;\n";
    }
    arguments += fmt::format("    {})\n      _arguments", single_quoted(path_of(verb)));
    for (const ListedFlag& flag : verb.flags) {
      const bool takes_value = flag.kind != FlagKind::off_or_on;
      arguments += " \\\n        " + zsh_spec(flag.name + (takes_value ? "=" : ""), flag);
      if (!flag.letter.empty()) arguments += " \\\n        " + zsh_spec(flag.letter, flag);
    }
    arguments += " \\\n        '*:file:_files' ;;\n";
  }
  return fmt::format(R"(#compdef parsimony
_parsimony() {{
  local place= depth=1
  local -a found
  if ((CURRENT > 2)); then place=$words[2] depth=2; fi
  case $place in
    {}) if ((CURRENT > 3)); then place+=" $words[3]" depth=3; fi ;;
  esac
  if [[ $PREFIX != -* ]] && ((CURRENT == depth + 1)); then
    case $place in
{}    esac
  fi
  shift $((depth - 1)) words
  ((CURRENT -= depth - 1))
  case $place in
{}  esac
}}
if [[ $funcstack[1] == _parsimony ]]; then _parsimony "$@"; else compdef _parsimony parsimony; fi
)",
                     groups_of(verbs), lists, arguments);
}

std::string fish_completion(const std::vector<ListedVerb>& verbs) {
  std::string script = R"(function __parsimony_words
  set -l words (commandline -opc)
  string join -- \n $words[2..-1]
end
# Whether the words so far are exactly these.
function __parsimony_only
  set -l words (__parsimony_words)
  test "$words" = "$argv"
end
# Whether the words so far begin with these.
function __parsimony_at
  set -l words (__parsimony_words)
  set -l length (count $argv)
  test (count $words) -ge $length; and test "$words[1..$length]" = "$argv"
end
)";
  const auto text = [](const std::string& plain) { return "'" + escaped(plain, "\\'") + "'"; };
  for (const ListedVerb& verb : verbs) {
    if (!verb.path.empty()) {
      const std::vector<std::string> above(verb.path.begin(), verb.path.end() - 1);
      script += fmt::format("complete -c parsimony -f -n '__parsimony_only {}' -a {} -d {}\n",
                            fmt::join(above, " "), verb.path.back(), text(verb.summary));
    }
    const std::string place = (verb.path.empty() ? "__parsimony_only " : "__parsimony_at ") + path_of(verb);
    for (const ListedFlag& flag : verb.flags) {
      script += fmt::format("complete -c parsimony -n '{}' -l {}", place, flag.name.substr(2));
      if (!flag.letter.empty()) script += " -s " + flag.letter.substr(1);
      if (flag.kind == FlagKind::file) script += " -r -F";
      if (flag.kind == FlagKind::number || flag.kind == FlagKind::name || flag.kind == FlagKind::text)
        script += " -x";
      if (!flag.values.words.empty()) script += fmt::format(" -a '{}'", fmt::join(flag.values.words, " "));
      script += " -d " + text(flag.help) + "\n";
    }
  }
  return script;
}

}  // namespace parsimony::cli
