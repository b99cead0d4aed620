#include "parsimony/run/pictures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/core/lines.hpp"
#include "parsimony/data/pictures.hpp"
#include "run/model_path.hpp"

namespace parsimony::run {
namespace {

constexpr std::int64_t kLargestLabels = std::int64_t{1} << 26;

std::vector<std::string> read_class_names(const std::filesystem::path& file, std::int64_t classes,
                                          const Context& context) {
  if (!has_file(file)) return {};
  std::vector<std::string> out = lines_of(read_file(file, kLargestLabels, context.stop));
  if (std::ssize(out) == classes) return out;
  throw Error(ErrorCode::format,
              fmt::format("{}: has {}; must have {}, a line with the name of each class of the network",
                          file.string(), count_of(out.size(), "line"), classes));
}

// The image as three planes of normalized values.
Matrix<float> normalized(const data::LabelledImages& images, std::int64_t i,
                         const data::ImageColors& colors) {
  Matrix<float> out(3, images.height * images.width);
  const std::span<const std::uint8_t> pixels = images.image(i);
  for (std::int64_t c = 0; c < 3; ++c) {
    for (std::int64_t j = 0; j < out.cols(); ++j) {
      out(c, j) =
          (static_cast<float>(pixels[c * out.cols() + j]) / 255 - colors.mean[c]) / colors.deviation[c];
    }
  }
  return out;
}

std::vector<PictureRun::Guess> guesses_of(std::span<const float> logits, std::int64_t top) {
  std::vector<std::int64_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto count = std::min<std::ptrdiff_t>(top, std::ssize(order));
  std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](std::int64_t a, std::int64_t b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  });
  double sum = 0;
  for (const float value : logits) sum += std::exp(static_cast<double>(value) - logits[order[0]]);
  std::vector<PictureRun::Guess> out;
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const double power = std::exp(static_cast<double>(logits[order[i]]) - logits[order[0]]);
    out.push_back({order[i], static_cast<float>(power / sum)});
  }
  return out;
}

void add_accuracy(PictureRun& run) {
  std::int64_t labelled = 0, first = 0, among = 0;
  for (std::size_t i = 0; i < run.labels.size(); ++i) {
    if (run.labels[i] < 0) continue;
    ++labelled;
    const std::vector<PictureRun::Guess>& guesses = run.guesses[i];
    for (std::size_t rank = 0; rank < std::min<std::size_t>(5, guesses.size()); ++rank) {
      if (guesses[rank].label != run.labels[i]) continue;
      if (rank == 0) ++first;
      ++among;
    }
  }
  if (labelled == 0) return;
  const auto share = [&](std::int64_t count) {
    return static_cast<double>(count) / static_cast<double>(labelled);
  };
  run.report.figures.emplace_back("labelled", labelled);
  run.report.figures.emplace_back("top1", share(first));
  run.report.figures.emplace_back("top5", share(among));
}

}  // namespace

PictureRun run_pictures(const std::filesystem::path& model, const std::filesystem::path& pictures,
                        const PictureOptions& options, const Context& context) {
  validate_fields(options);
  PictureRun out;
  out.report = make_report("run", context, 0);
  record_options(out.report, options);
  StageTimer load_timer(out.report, "load");
  const ImageNetwork network = load_image_network(model, options.load, options.input.padding, context);
  out.variant = network.variant();
  out.classes = network.classes();
  out.class_names =
      read_class_names(folder_of(model, options.load.folder) / "labels.txt", network.classes(), context);
  load_timer.finish();

  StageTimer read_timer(out.report, "read");
  const std::int64_t side = options.input.side > 0 ? options.input.side : network.side();
  data::LabelledImages images =
      data::read_pictures(pictures, "", {.side = side, .crop_from = options.input.crop_from}, context);
  read_timer.finish();

  StageTimer run_timer(out.report, "run");
  const data::ImageColors colors = data::image_colors(options.input.normalization, network.lite());
  for (std::int64_t i = 0; i < images.size(); ++i) {
    const Matrix<float> image = normalized(images, i, colors);
    const Matrix<float> logits = network.classify({image.data(), 1, image.size()}, side, side, context);
    out.guesses.push_back(guesses_of(logits.row(0), std::max<std::int64_t>(5, options.input.top)));
    context.progress("run", i + 1, images.size());
  }
  run_timer.finish();
  auto& figures = out.report.figures;
  figures.emplace_back("precision", std::string(enum_name(network.precision())));
  figures.emplace_back("padding", std::string(enum_name(network.padding())));
  figures.emplace_back("weight_bytes", network.bytes());
  figures.emplace_back("activation_bytes", network.planned_bytes(side, side, context.threads()));
  figures.emplace_back("weights_in_codes", network.in_codes());
  figures.emplace_back("pictures", images.size());
  out.names = std::move(images.names);
  out.labels = std::move(images.labels);
  add_accuracy(out);
  for (auto& guesses : out.guesses) {
    guesses.resize(std::min<std::size_t>(guesses.size(), static_cast<std::size_t>(options.input.top)));
  }
  return out;
}

}  // namespace parsimony::run
