// The limit of memory as the command keeps it.
#include <gtest/gtest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace parsimony::cli {
namespace {

class MemoryLimits : public Command {
 protected:
  struct Record {
    std::int64_t limit = 0, estimate = 0, peak = 0;
  };

  static Record record_of(const Outcome& outcome) {
    const auto memory = nlohmann::json::parse(outcome.out).at("memory");
    return {memory.at("limit"), memory.at("estimate"), memory.at("peak")};
  }

  std::string edges() const {
    std::string text;
    for (std::uint64_t i = 1; i <= 200000; ++i) {
      text +=
          std::to_string(i * 2654435761 % 1000000007) + " " + std::to_string(i * 40503 % 998244353) + "\n";
    }
    return write("edges.txt", text);
  }

  // Limits from above the free peak down to a sixth of it are kept, or the run is refused in one line.
  void expect_kept(std::vector<std::string> words,
                   const std::vector<std::string>& flags = {"--threads", "2", "--quiet", "--json"}) {
#if defined(PARSIMONY_SANITIZED)
    GTEST_SKIP() << "sanitizers have an allocator of their own, which counts nothing";
#endif
    words.insert(words.end(), flags.begin(), flags.end());
    const Record free = record_of(run(words));
    bool accepted = false, refused = false;
    for (const double share : {1.5, 0.7, 0.35, 0.17}) {
      const auto limit = static_cast<std::int64_t>(share * static_cast<double>(free.peak));
      std::vector<std::string> limited = words;
      limited.insert(limited.end(), {"--max-memory", std::to_string(limit)});
      const Outcome outcome = run(limited);
      if (outcome.code == 0) {
        accepted = true;
        const Record found = record_of(outcome);
        EXPECT_EQ(found.limit, limit);
        EXPECT_LE(found.estimate, limit);
        EXPECT_LE(static_cast<double>(found.peak), 1.05 * static_cast<double>(limit) + 12e6) << limit;
      } else {
        refused = true;
        EXPECT_EQ(outcome.code, kFailed);
        EXPECT_NE(outcome.err.find("--max-memory"), std::string::npos) << outcome.err;
        EXPECT_NE(outcome.err.find("parsimony: error: "), std::string::npos) << outcome.err;
      }
    }
    EXPECT_TRUE(accepted);
    EXPECT_TRUE(refused);
  }
};

TEST_F(MemoryLimits, HoldForReadersOfEdgeLists) {
  expect_kept({"convert", edges(), path("out.npz")});
}

TEST_F(MemoryLimits, HoldForCompressedInputAndOutput) {
  ASSERT_EQ(run({"convert", edges(), path("packed.txt.gz"), "--quiet"}).code, 0);
  expect_kept({"convert", path("packed.txt.gz"), path("out.mtx.zst")});
}

TEST_F(MemoryLimits, HoldForMethodsAndPictures) {
  const std::string graph = block_model("g.npz", 20000, 10);
  expect_kept({"cluster", graph, "--clusters", "10", "--method", "filtered", "--output", path("l.txt"),
               "--picture", path("p.png")});
}

constexpr int kTensors = 60000;

std::string tensor_name(int i) {
  return "layers." + std::to_string(i) + ".weight";
}

// A safetensors file of single values.
std::string many_tensors(int first, int last) {
  std::string header = "{";
  for (int i = first; i < last; ++i) {
    const int begin = 4 * (i - first);
    header += (i > first ? ",\"" : "\"") + tensor_name(i) +
              R"(":{"dtype":"F32","shape":[1],"data_offsets":[)" + std::to_string(begin) + "," +
              std::to_string(begin + 4) + "]}";
  }
  header += "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + header +
         std::string(static_cast<std::size_t>(4 * (last - first)), '\0');
}

TEST_F(MemoryLimits, HoldForHeadersOfManyTensors) {
  expect_kept({"inspect", write("many.safetensors", many_tensors(0, kTensors))}, {"--json"});
}

TEST_F(MemoryLimits, HoldForShards) {
  std::string index = R"({"weight_map":{)";
  for (int i = 0; i < kTensors; ++i) {
    index += (i > 0 ? ",\"" : "\"") + tensor_name(i) + (i < kTensors / 2 ? R"(":"a")" : R"(":"b")");
  }
  write("a", many_tensors(0, kTensors / 2));
  write("b", many_tensors(kTensors / 2, kTensors));
  expect_kept({"inspect", write("many.safetensors.index.json", index + "}}")}, {"--json"});
}

TEST_F(MemoryLimits, AreComparedWithAnEstimateOfTheHeader) {
  const std::string file = write("many.safetensors", many_tensors(0, kTensors));
  const Record record = record_of(run({"inspect", file, "--json"}));
  EXPECT_GT(record.estimate, 30'000'000);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"inspect", file},
        {"dequantize", file, "-o", path("o.safetensors")},
        {"quantize", file, "--scheme", "int8", "-o", path("o.safetensors")}}) {
    std::vector<std::string> limited = words;
    limited.insert(limited.end(), {"--max-memory", "20MB"});
    const Outcome outcome = run(limited);
    expect_one_error(outcome, kFailed, {"--max-memory: ", "the header of ", "many.safetensors needs about "});
  }
}

#if !defined(PARSIMONY_SANITIZED)
// Where no estimate stands before an allocation, the limit refuses it, and the message has the numbers.
TEST_F(MemoryLimits, AnAllocationThatIsRefusedSaysHowMuchBesideHowMuch) {
  const std::regex numbers(R"(needs (\d+) bytes(?: \([0-9.]+ MB\))? beside the (\d+) \([0-9.]+ MB\) in use; )"
                           R"(--max-memory allows (\d+) \([0-9.]+ MB\)\)?\n)");
  const auto expect_numbers = [&](const std::vector<std::string>& words, std::int64_t limit,
                                  const std::string& part) {
    std::vector<std::string> limited = words;
    limited.insert(limited.end(), {"--max-memory", std::to_string(limit)});
    const Outcome outcome = run(limited);
    expect_one_error(outcome, kFailed, {part});
    std::smatch found;
    ASSERT_TRUE(std::regex_search(outcome.err, found, numbers)) << outcome.err;
    EXPECT_GT(std::stoll(found[1]) + std::stoll(found[2]), limit);
    EXPECT_LE(std::stoll(found[2]), limit + limit / 20);
    EXPECT_EQ(std::stoll(found[3]), limit);
  };
  expect_numbers({"generate", "lfr", "--nodes", "30000", "--mean-degree", "15", "--max-degree", "50",
                  "--mixing", "0.3", "--output", path("out.npz")},
                 5'000'000, "parsimony: error: generate lfr needs ");
  expect_numbers({"convert", edges(), path("out.npz")}, 8'000'000,
                 "edges.txt: reading it needs more memory than there is (needs ");
}
#endif

// A limit below the memory of the program itself is refused before anything is read.
TEST_F(MemoryLimits, CountTheProgram) {
  expect_one_error(run({"inspect", write("a", "x"), "--max-memory", "1000"}), kFailed,
                   {"--max-memory: 1000", "alone"});
}

}  // namespace
}  // namespace parsimony::cli
