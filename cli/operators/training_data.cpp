#include "operators/training_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "parsimony/core/error.hpp"
#include "parsimony/graph/point_file.hpp"
#include "support/flags.hpp"

namespace parsimony::cli {

void add_data_flags(CLI::App& app, std::vector<std::string>& paths, operators::SampleOptions& options,
                    const std::string& option) {
  app.add_option(option, paths,
                 "one 2-D .npy array, a signal a row (plain, .gz or .zst; - for stdin); or images: PNG, PGM, "
                 "PPM, and "
                 "with --patch .npy")
      ->required()
      ->type_name(option.starts_with("--") ? "FILE" : "");
  describe(options, Flags(app, "Data"));
}

bool are_images(const std::vector<std::string>& paths, const operators::SampleOptions& options) {
  return paths.size() > 1 || options.patch > 0 ||
         !(graph::names_points(paths.front(), false) || paths.front() == "-");
}

std::vector<std::filesystem::path> check_data(const std::vector<std::string>& paths,
                                              const operators::SampleOptions& options) {
  std::vector<std::filesystem::path> files;
  const bool images = are_images(paths, options);
  for (const std::string& path : paths) {
    files.push_back(input_path(path));
    check_readable(files.back());
    if (images && graph::names_points(path, false) && options.patch == 0) {
      refuse(fmt::format("{}: an array of signals stands alone; with --patch it is an image", path));
    }
  }
  return files;
}

std::vector<Image> read_images(const std::vector<std::string>& paths, const Context& context) {
  std::vector<Image> images;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    context.check_cancelled();
    context.progress("reading", static_cast<std::int64_t>(i), static_cast<std::int64_t>(paths.size()));
    // Colours would take three times the memory.
    images.push_back(operators::luminance(read_image(input_path(paths[i]), context.memory_left())));
    const auto values = images.back().channels[0].values();
    if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) {
      throw Error(ErrorCode::format, fmt::format("{}: has a value that is not finite", paths[i]));
    }
  }
  return images;
}

}  // namespace parsimony::cli
