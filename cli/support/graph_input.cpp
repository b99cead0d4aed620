// Implements the functions of support/files.hpp that read graphs.
#include <fmt/format.h>

#include "support/files.hpp"
#include "support/flags.hpp"

namespace parsimony::cli {

std::vector<std::string> add_read_flags(CLI::App& app, graph::ReadOptions& options) {
  const Flags flags(app, "Input");
  std::vector<std::string> names;
  describe(options, [&](const Field& field, auto& value) {
    flags(field, value);
    names.push_back("--" + kebab(field.name));
  });
  return names;
}

graph::GraphFile read_graph(const std::string& text, const graph::ReadOptions& options,
                            const Context& context) {
  graph::GraphFile file = graph::read_graph(input_path(text), options, context);
  std::string left_out;
  const auto count = [&](std::int64_t number, const char* what, const char* fate) {
    if (number == 0) return;
    left_out +=
        fmt::format("{}{} {}{} {}", left_out.empty() ? "" : ", ", number, what, number == 1 ? "" : "s", fate);
  };
  count(file.self_loops_dropped, "self loop", "dropped");
  count(file.zeros_dropped, "zero weight", "dropped");
  count(file.duplicates_merged, "repeated edge", "merged");
  if (!left_out.empty()) context.log(LogLevel::info, fmt::format("{}: {}", text, left_out));
  return file;
}

}  // namespace parsimony::cli
