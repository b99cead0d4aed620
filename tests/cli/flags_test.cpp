// Every default, every end of a range and every word that help shows is accepted when typed. The program
// lists its flags, so that new flags are tested without a change here.
#include <nlohmann/json.hpp>

#include "cli/command.hpp"

namespace parsimony::cli {
namespace {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

class Flags : public Command {
 protected:
  Flags() { verbs_ = Json::parse(run({"completion", "--json"}).out); }

  std::string missing(const std::string& name) const { return path("missing/" + name); }

  // Arguments with which the verb gets as far as its files, which do not exist.
  Words base(const Json& verb, const Json& flag) const {
    Words words = verb["path"];
    const Words beside = companions(words.back(), flag);
    for (const Json& argument : verb["arguments"]) {
      // cluster reads points from .npy, and graphs, which have the flags of the group Input, from other
      // files.
      const std::string ending = flag["group"] == "Input" ? ".txt" : ".npy";
      if (argument["required"]) words.push_back(missing(argument["name"].get<std::string>() + ending));
    }
    for (const Json& other : verb["flags"]) {
      const std::string name = other["name"];
      const bool given = std::any_of(beside.begin(), beside.end(),
                                     [&](const std::string& word) { return word.rfind(name + "=", 0) == 0; });
      if (!other["required"] || other == flag || given) continue;
      words.push_back(name + "=" + (other["kind"] == "file" ? missing("file.npy") : sample(other)));
    }
    if (!flag["methods"].empty()) words.push_back("--method=" + flag["methods"][0].get<std::string>());
    words.insert(words.end(), beside.begin(), beside.end());
    return words;
  }

  // A value for a required flag.
  static std::string sample(const Json& flag) {
    if (!flag["words"].empty()) return flag["words"][0];
    return flag["low"].is_null() ? "1" : flag["low"].get<std::string>();
  }

  // Flags without which this one is refused, as --flag=value.
  Words companions(const std::string& verb, const Json& flag) const {
    const std::string name = flag["name"];
    const auto one_of = [&](const Words& names) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (verb == "score") return {"--truth=" + missing("truth.txt")};
    if (verb == "cluster" && one_of({"--min-clusters", "--max-clusters"})) return {"--clusters=auto"};
    if (verb == "denoise" && name == "--signals") return {"--operator=" + missing("operator.npy")};
    if (verb == "denoise" && one_of({"--weight", "--nu", "--max-iterations", "--tile"})) {
      return {"--method=analysis"};
    }
    if (verb == "check" && name == "--noise-aware") return {"--lambda=1"};
    if (verb == "check" && name == "--lambda") return {"--noise-aware"};
    if (verb != "learn") return {};
    if (name == "--one-energy") return {"--unrolled"};
    if (flag["group"] == "Unrolled flow") {
      Words words{"--output=" + missing("flow.npz")};
      if (name != "--unrolled") words.emplace_back("--unrolled");
      return words;
    }
    Words words;
    if (name == "--lambda") words.emplace_back("--noise-aware");
    if (name != "--rows") words.emplace_back("--rows=8");
    return words;
  }

  // The flag is accepted: the only error left is about a missing file.
  void expect_accepted(const Json& verb, const Json& flag, const std::string& word) {
    Words words = base(verb, flag);
    words.push_back(word);
    const Outcome outcome = run(words);
    const bool of_a_file = outcome.code == kFailed && outcome.err.find(path("missing")) != std::string::npos;
    EXPECT_TRUE(of_a_file) << verb["path"] << " " << word << ": " << outcome.code << " " << outcome.err;
    ++tried_;
  }

  void expect_refused(const Json& verb, const Json& flag, const std::string& value) {
    Words words = base(verb, flag);
    const std::string name = flag["name"];
    words.push_back(name + "=" + value);
    SCOPED_TRACE(Json(words).dump());
    expect_one_error(run(words), kUsage, {name + ": "});
    ++tried_;
  }

  void try_values(const Json& verb, const Json& flag) {
    const std::string name = flag["name"];
    if (flag["kind"] == "switch") return expect_accepted(verb, flag, name);
    for (const char* key : {"low", "high", "default"}) {
      if (!flag[key].is_null()) expect_accepted(verb, flag, name + "=" + flag[key].get<std::string>());
    }
    for (const std::string word : flag["words"]) expect_accepted(verb, flag, name + "=" + word);
    if (flag["kind"] == "number" || flag["kind"] == "name") expect_refused(verb, flag, "xyzzy");
    if (flag["kind"] != "number") return;
    if (!flag["low"].is_null()) {
      const double low = std::stod(flag["low"].get<std::string>());
      expect_refused(verb, flag, Json(low - std::max(1.0, std::abs(low))).dump());
    }
    if (!flag["high"].is_null()) {
      const double high = std::stod(flag["high"].get<std::string>());
      expect_refused(verb, flag, Json(high + std::max(1.0, std::abs(high))).dump());
    }
  }

  Json verbs_;
  int tried_ = 0;
};

TEST_F(Flags, EveryValueThatHelpShowsIsAcceptedAndOthersAreNot) {
  for (const Json& verb : verbs_) {
    if (verb["path"].empty() || !verb["verbs"].empty()) continue;  // verbs below have the flags
    const std::string name = verb["path"].back();
    if (name == "info" || name == "completion") continue;  // without files
    for (const Json& flag : verb["flags"]) {
      if (flag["name"] == "--help") continue;
      try_values(verb, flag);
    }
  }
  EXPECT_GT(tried_, 500) << "the list of flags is not read any more";
}

// The list is what help shows, so that the test above tests help.
TEST_F(Flags, HelpShowsTheValuesOfTheList) {
  for (const Json& verb : verbs_) {
    Words words = verb["path"];
    words.emplace_back("--help");
    const Outcome help = run(words);
    ASSERT_EQ(help.code, 0);
    for (const Json& flag : verb["flags"]) {
      const std::string name = flag["name"];
      const auto at = help.out.find(name);
      ASSERT_NE(at, std::string::npos) << name;
      const auto shown = [&](const std::string& part) {
        EXPECT_NE(help.out.find(part, at), std::string::npos) << verb["path"] << " " << name << ": " << part;
      };
      EXPECT_NE(flag["help"].get<std::string>().rfind("turn off: ", 0), 0u)
          << verb["path"] << " " << name << ": the field needs an off_help";
      if (!flag["default"].is_null()) shown("default " + flag["default"].get<std::string>());
      if (!flag["low"].is_null() && !flag["high"].is_null()) {
        shown(flag["low"].get<std::string>() + " to " + flag["high"].get<std::string>());
      }
      for (const std::string word : flag["words"]) shown(word);
    }
    EXPECT_EQ(help.out.find(std::string("auto") + "matic"), std::string::npos)
        << verb["path"] << ": say auto";
  }
}

TEST_F(Flags, VerbsHaveTheFlagsThatAllShare) {
  const std::map<std::string, std::string> helps{
      {"--threads", ""}, {"--quiet", "-q"}, {"--json", ""}, {"--max-memory", ""}, {"--output", "-o"}};
  std::map<std::string, std::set<std::string>> texts;
  for (const Json& verb : verbs_) {
    for (const Json& flag : verb["flags"]) {
      const auto found = helps.find(flag["name"]);
      if (found == helps.end()) continue;
      EXPECT_EQ(flag["letter"].is_null() ? "" : flag["letter"].get<std::string>(), found->second)
          << verb["path"];
      if (flag["name"] != "--output") texts[flag["name"]].insert(flag["help"].get<std::string>());
    }
  }
  EXPECT_EQ(texts["--quiet"].size(), 1u) << Json(texts["--quiet"]);
}

// One flag with one meaning on every verb that reads data.
TEST_F(Flags, MaxMemoryIsTheSameOnEveryVerbThatReadsData) {
  std::set<std::string> verbs, texts;
  for (const Json& verb : verbs_) {
    for (const Json& flag : verb["flags"]) {
      if (flag["name"] != "--max-memory") continue;
      verbs.insert(verb["path"].back());
      texts.insert(flag.dump());
    }
  }
  EXPECT_EQ(texts.size(), 1u) << Json(texts);
  for (const char* verb : {"cluster", "assign", "knn-graph", "convert", "score", "quantize", "dequantize",
                           "inspect", "sbm", "lfr", "learn", "check", "denoise", "inpaint"}) {
    EXPECT_TRUE(verbs.contains(verb)) << verb;
  }
}

}  // namespace
}  // namespace parsimony::cli
