#include "parsimony/images/denoise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "core/count_of.hpp"
#include "images/denoising/marked_image.hpp"
#include "images/denoising/stabilizer.hpp"
#include "images/energy/check_image.hpp"
#include "images/flow/flow_file.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/images/adaptive_denoising.hpp"
#include "parsimony/images/image_denoising.hpp"
#include "parsimony/images/opponent_colors.hpp"
#include "parsimony/operators/operator_file.hpp"

namespace parsimony::images {
namespace {

DenoiseMethod resolve_method(const DenoiseOptions& options) {
  if (options.method != DenoiseMethod::automatic) return options.method;
  return options.analysis_operator.size() > 0 ? DenoiseMethod::analysis : DenoiseMethod::flow;
}

// Options that the method does not have are mistakes: without a message they would silently do nothing.
void check(const DenoiseOptions& options, DenoiseMethod method) {
  validate_fields(options);
  const bool has_operator = options.analysis_operator.size() > 0;
  const std::string_view name = enum_name(method);
  if (options.own_flow) {
    if (has_operator) refuse("flow: not with option operator; a flow has its own filters");
    if (method != DenoiseMethod::flow) refuse(fmt::format("flow: not with option method {}", name));
  }
  if (options.adapt && method != DenoiseMethod::flow) {
    refuse(has_operator ? "adapt: learns its own operator; not with option operator"
                        : fmt::format("adapt: not with option method {}; flow has it", name));
  }
  const auto only_of_analysis = [&](std::string_view option, bool given) {
    if (given) refuse(fmt::format("{}: not with option method {}; analysis has it", option, name));
  };
  if (method == DenoiseMethod::flow) {
    only_of_analysis("operator", has_operator);
    only_of_analysis("weight", options.weight != 0);
    only_of_analysis("nu", options.nu != 0);
    only_of_analysis("max_iterations", options.max_iterations != 0);
    only_of_analysis("tile", options.tile != 0);
  }
  if (method == DenoiseMethod::l1) only_of_analysis("nu", options.nu != 0);
}

// One channel after another, with the flow or the operator loaded once for all of them.
class ChannelDenoiser {
 public:
  ChannelDenoiser(const DenoiseOptions& options, DenoiseMethod method, const Context& context)
      : options_(options), method_(method), context_(context), flow_(options.own_flow) {
    if (method == DenoiseMethod::flow) return;
    operator_ =
        options.analysis_operator.size() > 0 ? options.analysis_operator : operators::shipped_operator();
    by_operator_ = {.sigma = 0,
                    .penalty = method == DenoiseMethod::l1 ? ImagePenalty::l1 : ImagePenalty::log,
                    .weight = options.weight,
                    .max_iterations = options.max_iterations,
                    .tile = options.tile};
    if (options.nu != 0) by_operator_.nu = options.nu;
  }

  Matrix<float> denoise(MatrixView<const float> channel, double sigma, std::vector<Report>& reports) {
    const auto take = [&](auto result) {
      reports.push_back(std::move(result.report));
      return std::move(result.image);
    };
    if (method_ != DenoiseMethod::flow) {
      by_operator_.sigma = sigma;
      return take(denoise_by_operator(channel, operator_, by_operator_, context_));
    }
    if (!options_.own_flow && (!flow_ || shipped_ != nearest_shipped_flow(sigma))) {
      flow_ = shipped_flow(sigma);
      shipped_ = nearest_shipped_flow(sigma);
    }
    if (options_.adapt) return take(denoise_adaptively(channel, *flow_, {.sigma = sigma}, context_));
    return take(denoise_by_flow(channel, *flow_, sigma, context_));
  }

 private:
  const DenoiseOptions& options_;
  DenoiseMethod method_;
  const Context& context_;
  std::optional<UnrolledFlow> flow_;
  std::size_t shipped_ = 0;  // which of the shipped flows flow_ is, where the caller gives none
  Matrix<double> operator_;
  ImageDenoisingOptions by_operator_;
};

// Bytes beside the image, as measured: per pixel those of the steps on one channel, and per channel the
// opponent colour and the result; the tiles of each thread, or the blocks that the estimate of the noise
// looks at.
std::int64_t denoising_memory(const Image& image, const DenoiseOptions& options, DenoiseMethod method,
                              const Context& context) {
  constexpr std::int64_t kPerPixel = 20, kPerValue = 13, kTiles = std::int64_t{20} << 20;
  const auto channels = static_cast<std::int64_t>(image.channels.size());
  const bool tiles = method != DenoiseMethod::flow || options.adapt;
  return image.width() * image.height() * (kPerPixel + kPerValue * channels) +
         kTiles * (tiles                ? context.threads()
                   : options.sigma == 0 ? 1
                                        : 0);
}

bool is_grey_in_colors(const Image& image) {
  if (image.colors() != 3) return false;
  check_channels(image, "image");
  return std::ranges::equal(image.channels[0].values(), image.channels[1].values()) &&
         std::ranges::equal(image.channels[0].values(), image.channels[2].values());
}

void check_size(const Image& image, const Image& other, std::string_view name) {
  check_channels(other, name);
  if (other.width() == image.width() && other.height() == image.height()) return;
  refuse(fmt::format("{}: {} × {} pixels for an image of {} × {}", name, other.width(), other.height(),
                     image.width(), image.height()));
}

}  // namespace

DenoiseResult denoise(const Image& image, const DenoiseOptions& options, const Context& context) {
  if (is_grey_in_colors(image)) {
    context.log(LogLevel::info, "the three colours are equal: the image is grey, stored as RGB");
    Image grey = image;
    grey.channels.erase(grey.channels.begin(), grey.channels.begin() + 2);
    DenoiseResult out = denoise(grey, options, context);
    out.image.channels.insert(out.image.channels.begin(), 2, out.image.channels.front());
    return out;
  }
  const DenoiseMethod method = resolve_method(options);
  check(options, method);
  context.require_memory(denoising_memory(image, options, method, context), "denoising");
  ChannelDenoiser denoiser(options, method, context);
  DenoiseResult out;
  std::optional<Stabilizer> stabilizer;
  if (options.sigma == 0) {
    const MarkedImage marked(image);
    bool correlated = false;
    out.sigmas = estimate_sigmas(image, marked.marks(), correlated, context);
    // Correlated noise is that of files that other programs have changed, which does not grow along a line.
    if (!correlated && out.sigmas[0] > 0) stabilizer = Stabilizer::of(image, context);
    if (stabilizer) out.sigmas = estimate_sigmas(stabilizer->image, marked.marks(), correlated, context);
  } else {
    out.sigmas.assign(static_cast<std::size_t>(std::max<std::int64_t>(1, image.colors())), options.sigma);
  }
  out.image = by_opponent_colors(
      stabilizer ? stabilizer->image : image, [&](MatrixView<const float> channel, std::int64_t index) {
        const double sigma = out.sigmas[static_cast<std::size_t>(index)];
        // A channel without noise stays as it is: a clean image, or the colour differences of a grey one.
        return sigma >= kLeastSigma ? denoiser.denoise(channel, sigma, out.reports) : copy_of(channel);
      });
  if (stabilizer) stabilizer->undo(out.image, out.reports, context);
  if (out.reports.empty()) {
    context.log(
        LogLevel::warning,
        "no noise is found in the image (it is clean, drawn or constant): it stays as it is; set sigma "
        "to denoise it all the same");
    out.reports.push_back(make_report("unchanged: no noise found", context, 0));
  }
  return out;
}

void check_reference(const Image& image, const Image& reference) {
  check_channels(image, "image");
  check_size(image, reference, "reference");
  for (const Matrix<float>& channel : reference.channels) check_finite(channel, "reference");
  if (reference.colors() != image.colors()) {
    refuse(fmt::format("reference: {} for an image of {}", count_of(reference.colors(), "colour"),
                       image.colors()));
  }
}

Quality quality(const Image& image, const Image& reference, const Context& context) {
  check_reference(image, reference);
  const std::int64_t colors = image.colors();
  if (colors < 1) refuse("image: has no colours");
  double error = 0, similarity = 0;
  for (std::int64_t c = 0; c < colors; ++c) {
    const auto k = static_cast<std::size_t>(c);
    // The PSNR of several colours is that of the mean of their squared errors, not the mean of their PSNR.
    error += std::pow(10, -psnr(image.channels[k], reference.channels[k]) / 10);
    if (std::min(image.width(), image.height()) >= kSsimWindow) {
      similarity += ssim(image.channels[k], reference.channels[k], 255, context);
    } else {
      similarity = std::numeric_limits<double>::quiet_NaN();
    }
  }
  const auto count = static_cast<double>(colors);
  return {.psnr = -10 * std::log10(error / count), .ssim = similarity / count};
}

}  // namespace parsimony::images
