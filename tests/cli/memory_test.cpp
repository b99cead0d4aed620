// The limit of memory as the command keeps it.
#include <gtest/gtest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
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
  void expect_kept(std::vector<std::string> words) {
#if defined(PARSIMONY_SANITIZED)
    GTEST_SKIP() << "sanitizers have an allocator of their own, which counts nothing";
#endif
    words.insert(words.end(), {"--threads", "2", "--quiet", "--json"});
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

// A limit below the memory of the program itself is refused before anything is read.
TEST_F(MemoryLimits, CountTheProgram) {
  expect_one_error(run({"inspect", write("a", "x"), "--max-memory", "1000"}), kFailed,
                   {"--max-memory: 1000", "alone"});
}

}  // namespace
}  // namespace parsimony::cli
