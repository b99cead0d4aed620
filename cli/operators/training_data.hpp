// What operators are learned from, and checked on: signals in a .npy array, or patches of images.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/images/patches.hpp"

namespace parsimony::cli {

struct TrainingData {
  std::vector<std::string> paths;
  std::int64_t samples = 0;      ///< 0: all signals, kPatches patches
  std::int64_t side = 0;         ///< of a patch; 0: 8 of images, and a .npy array holds signals
  images::PatchOptions patches;  ///< count, side and seed are set by what is above
};

inline constexpr std::int64_t kPatches = 34000;

/// Adds the files, as DATA or the flag that is named, --samples, --patch and the options of patches.
void add_data_flags(CLI::App& app, TrainingData& data, const std::string& option = "DATA");

/// Whether the files are images: all but one .npy array without --patch.
bool are_images(const TrainingData& data);

/// Refuses files that are not there and flags that say nothing about them; returns the paths to read.
std::vector<std::filesystem::path> check_data(const CLI::App& app, const TrainingData& data);

/// The images, those in colour as their luminance. Throws format, naming the file, for values that are not
/// finite.
std::vector<Matrix<float>> read_images(const std::vector<std::string>& paths, std::int64_t max_memory,
                                       const Context& context);

/// samples × n. Of an array: all rows, or as many as asked for, drawn without replacement. Of images: patches
/// without their means, of norm 1; those of colour images from their luminance. Throws format, naming the
/// file, for values that are not finite.
Matrix<float> read_training_data(const TrainingData& data, std::int64_t max_memory, std::uint64_t seed,
                                 const Context& context);

}  // namespace parsimony::cli
