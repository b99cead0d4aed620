#include "support/verb_list.hpp"

#include <nlohmann/json.hpp>

namespace parsimony::cli {
namespace {

FlagKind kind_of(const CLI::Option& option) {
  if (option.get_expected_max() == 0) return FlagKind::off_or_on;
  const std::string type = option.get_type_name();
  if (type == "FILE" || type == "FOLDER" || option.get_positional()) return FlagKind::file;
  if (type == "N" || type == "X") return FlagKind::number;
  return type == "NAME" ? FlagKind::name : FlagKind::text;
}

ListedFlag listed(const CLI::Option& option) {
  ListedFlag flag{
      .help = option.get_description(), .kind = kind_of(option), .required = option.get_required()};
  flag.group = option.get_group();
  // Further long names are old ones, kept for scripts.
  flag.name = option.get_positional() ? option.get_name() : "--" + option.get_lnames().front();
  if (!option.get_snames().empty()) flag.letter = "-" + option.get_snames().front();
  if (const FlagValues* values = values_of(option)) flag.values = *values;
  return flag;
}

void list(const CLI::App& app, const std::vector<std::string>& path, std::vector<ListedVerb>& out) {
  ListedVerb verb{.path = path, .summary = app.get_description(), .verbs = {}, .arguments = {}, .flags = {}};
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;  // hidden from help too
    (option->get_positional() ? verb.arguments : verb.flags).push_back(listed(*option));
  }
  const auto below = app.get_subcommands({});
  for (const CLI::App* sub : below) verb.verbs.push_back(sub->get_name());
  out.push_back(std::move(verb));
  for (const CLI::App* sub : below) {
    std::vector<std::string> sub_path = path;
    sub_path.push_back(sub->get_name());
    list(*sub, sub_path, out);
  }
}

nlohmann::ordered_json flag_json(const ListedFlag& flag) {
  const auto or_null = [](const std::string& text) {
    return text.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(text);
  };
  return {{"name", flag.name},
          {"letter", or_null(flag.letter)},
          {"help", flag.help},
          {"kind", enum_name(flag.kind)},
          {"group", flag.group},
          {"required", flag.required},
          {"low", or_null(flag.values.low)},
          {"high", or_null(flag.values.high)},
          {"default", or_null(flag.values.standard)},
          {"words", flag.values.words},
          {"methods", flag.values.methods}};
}

}  // namespace

std::vector<ListedVerb> list_verbs(const CLI::App& program) {
  std::vector<ListedVerb> verbs;
  list(program, {}, verbs);
  return verbs;
}

nlohmann::ordered_json verbs_json(const std::vector<ListedVerb>& verbs) {
  auto root = nlohmann::ordered_json::array();
  for (const ListedVerb& verb : verbs) {
    nlohmann::ordered_json entry{{"path", verb.path}, {"summary", verb.summary}, {"verbs", verb.verbs}};
    entry["arguments"] = entry["flags"] = nlohmann::ordered_json::array();
    for (const ListedFlag& argument : verb.arguments) entry["arguments"].push_back(flag_json(argument));
    for (const ListedFlag& flag : verb.flags) entry["flags"].push_back(flag_json(flag));
    root.push_back(std::move(entry));
  }
  return root;
}

}  // namespace parsimony::cli
