// Pictures through a network in one call: the most probable classes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/core/report.hpp"
#include "parsimony/data/image_colors.hpp"
#include "parsimony/run/image_network.hpp"

namespace parsimony::run {

struct PictureInput {
  PaddingChoice padding = PaddingChoice::automatic;
  data::Normalization normalization = data::Normalization::by_network;
  std::int64_t side = 0;       ///< pixels of each side of the input; 0: as the variant was designed
  std::int64_t crop_from = 0;  ///< see data::PictureOptions
  std::int64_t top = 5;        ///< most probable classes that are listed for each picture
};

template <OptionsOf<PictureInput> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"padding", "zeros around the inputs of convolutions: same as in TensorFlow, or symmetric"},
        options.padding);
  visit(Field{"normalization", "mean and deviation of the colours, as the network was trained"},
        options.normalization);
  visit(Field{"side", "pixels of each side of a picture for the network; auto: by the variant", 32, 4096,
              "auto", 0},
        options.side);
  visit(Field{"crop_from", "pixels of the shorter side before the middle is cut out", 1, 8192, "auto", 0},
        options.crop_from);
  visit(Field{"top", "most probable classes that are listed for each picture", 1, 1 << 20}, options.top);
}

struct PictureOptions {
  LoadOptions load;
  PictureInput input;
};

template <OptionsOf<PictureOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  describe(options.load, visit);
  describe(options.input, visit);
}

struct PictureRun {
  struct Guess {
    std::int64_t label = 0;
    float probability = 0;
  };
  data::EfficientNetVariant variant = data::EfficientNetVariant::b0;
  std::int64_t classes = 0;
  std::vector<std::string> names;           ///< names of the pictures
  std::vector<std::int64_t> labels;         ///< as data::LabelledImages has them; −1: unknown
  std::vector<std::vector<Guess>> guesses;  ///< for each picture, the most probable class first
  std::vector<std::string> class_names;     ///< empty without labels.txt beside the weights
  Report report;
};

/// Runs each picture of data::read_pictures(pictures, "") through the network of load_image_network(). With a
/// file labels.txt beside the weights (in options.load.folder), its line i names class i.
///
/// report: stages "load", "read" and "run"; figures "precision", "padding", "weight_bytes",
/// "activation_bytes", "weights_in_codes", "pictures", and where pictures have labels "labelled", "top1" and
/// "top5", the shares of these whose class is the first guess, and among the first five.
///
/// Throws what load_image_network() and read_pictures() throw; format for labels.txt with another number of
/// lines than the network has classes.
PictureRun run_pictures(const std::filesystem::path& model, const std::filesystem::path& pictures,
                        const PictureOptions& options = {}, const Context& context = Context{});

}  // namespace parsimony::run
