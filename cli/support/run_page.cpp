#include "support/run_page.hpp"

#include <utility>

#include "parsimony/core/bandwidth.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "support/files.hpp"

namespace parsimony::cli {

void add_page_flag(CLI::App& app, std::string& path) {
  app.add_option(
         "--report", path,
         "HTML page of the run: its command, pictures, scores, the time of each stage and the options")
      ->type_name("FILE")
      ->group("Output");
}

void check_page(const std::string& path, const std::vector<std::filesystem::path>& others) {
  if (path.empty()) return;
  check_writable("--report", path, others);
  const std::filesystem::path ending = std::filesystem::path(path).extension();
  if (ending != ".html" && ending != ".htm")
    refuse("--report: the report is HTML; its name must end in .html");
}

void write_page(const std::string& path, std::string_view json, std::vector<ReportPicture> pictures,
                const Terminal& terminal, const Context& context, OutputSet& outputs) {
  if (path.empty()) return;
  write_file(outputs.file(path), report_page(json, {.title = terminal.verb(),
                                                    .command = terminal.command(),
                                                    .warnings = terminal.warnings(),
                                                    .pictures = std::move(pictures),
                                                    .bandwidth = copy_bandwidth(context)}));
}

}  // namespace parsimony::cli
