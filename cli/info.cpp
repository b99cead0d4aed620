// parsimony info: version, compiler, SIMD targets and threads of this build on this machine.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "parsimony/core/context.hpp"
#include "parsimony/core/version.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/run_flags.hpp"
#include "support/show.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kInfoExamples = R"(Example:
  parsimony info --json)";

constexpr const char* kCompiler =
#if defined(__clang__)
    "Clang " __clang_version__;
#else
    "GCC " __VERSION__;
#endif

int print_info(bool json) {
  const std::vector<std::string> reads{"edge list", "Matrix Market", "METIS", "SciPy .npz", "gzip", "zstd"};
  if (json) {
    const nlohmann::ordered_json root{{"version", version()},
                                      {"compiler", kCompiler},
                                      {"simd_target", simd_target()},
                                      {"simd_targets", simd_targets()},
                                      {"threads", default_thread_count()},
                                      {"reads", reads}};
    print(json_text(root));
  } else {
    print(fmt::format("parsimony {}\ncompiler  {}\nSIMD      {} (of {})\nthreads   {}\nreads     {}\n",
                      version(), kCompiler, simd_target(), fmt::join(simd_targets(), ", "),
                      default_thread_count(), fmt::join(reads, ", ")));
  }
  return kDone;
}

}  // namespace

Action add_info(CLI::App& app) {
  const auto json = std::make_shared<bool>(false);
  app.footer(kInfoExamples);
  add_json_flag(app, *json);
  return [json](Terminal&) { return print_info(*json); };
}

}  // namespace parsimony::cli
