// Reads the data that operators are learned from and tested on: signals in a .npy array, or images.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/image.hpp"
#include "parsimony/operators/operator_file.hpp"
#include "parsimony/operators/patches.hpp"
#include "support/files.hpp"

namespace parsimony::cli {

/// Adds the files, as DATA or the flag that is named, and the fields of the options.
void add_data_flags(CLI::App& app, std::vector<std::string>& paths, operators::SampleOptions& options,
                    const std::string& option = "DATA");

/// Whether the files are images: everything but one .npy array without --patch.
bool are_images(const std::vector<std::string>& paths, const operators::SampleOptions& options);

/// Refuses files that cannot be read or do not go together; returns the paths to read.
std::vector<std::filesystem::path> check_data(const std::vector<std::string>& paths,
                                              const operators::SampleOptions& options);

/// The luminances of the images, as grey images. Throws format, naming the file, for values that are not
/// finite.
std::vector<Image> read_images(const std::vector<std::string>& paths, const Context& context);

/// call(the signals or the images of the files).
template <class Call>
auto with_data(const std::vector<std::string>& paths, const operators::SampleOptions& options,
               const Context& context, Call&& call) {
  if (are_images(paths, options)) return call(read_images(paths, context));
  return call(operators::read_signals(input_path(paths.front()), context.memory_left()));
}

}  // namespace parsimony::cli
