// parsimony operator check: can an analysis operator be trusted on these signals.
#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "exit_code.hpp"
#include "files.hpp"
#include "flags.hpp"
#include "parsimony/core/npy.hpp"
#include "parsimony/cosparse/certificate.hpp"
#include "parsimony/cosparse/operator_file.hpp"
#include "show.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  parsimony operator check operator.npy --data signals.npy
  parsimony operator check operator.npy --data signals.npy --zero-tolerance 1e-4 --exact --json

Verdicts: certified (a strict local optimum of the sum of |coefficients| among the unit-norm tight frames),
refuted (a direction lowers it), undecided. Status 3: undecided within the steps allowed.)";

struct Settings {
  std::string op;
  std::string data;
  cosparse::CertificateOptions options;
  std::int64_t max_memory = 0;
  int threads = 0;
  bool json = false;
  bool quiet = false;
};

// What is there of the operator before anything is tested.
struct Figures {
  cosparse::FrameBounds bounds;
  double coherence = 0;
  double shortest = 0, longest = 0;  // row norms
};

Figures measure(const Matrix<double>& omega) {
  Figures out{cosparse::frame_bounds(omega), cosparse::coherence(omega), INFINITY, 0};
  for (std::int64_t i = 0; i < omega.rows(); ++i) {
    double square = 0;
    for (const double value : omega.row(i)) square += value * value;
    out.shortest = std::min(out.shortest, std::sqrt(square));
    out.longest = std::max(out.longest, std::sqrt(square));
  }
  return out;
}

// Zeros of the signal in the middle, of the one with fewest, of the one with most.
std::array<std::int64_t, 3> quantiles(const cosparse::CosparsityProfile& profile) {
  std::int64_t told = 0, seen = 0;
  for (const std::int64_t count : profile.signals) told += count;
  std::array<std::int64_t, 3> out{-1, 0, 0};
  for (std::size_t k = 0; k < profile.signals.size(); ++k) {
    if (profile.signals[k] == 0) continue;
    const auto zeros = static_cast<std::int64_t>(k);
    if (out[0] < 0) out[0] = zeros;
    if (2 * seen < told) out[1] = zeros;
    out[2] = zeros;
    seen += profile.signals[k];
  }
  out[0] = std::max<std::int64_t>(out[0], 0);
  return out;
}

std::string text_of(const Matrix<double>& omega, const Matrix<float>& signals, const Figures& figures,
                    const cosparse::OperatorCertificate& found) {
  const cosparse::CosparsityProfile& profile = found.profile;
  const auto [fewest, median, most] = quantiles(profile);
  const auto [least, greatest] = std::minmax_element(profile.rows.begin(), profile.rows.end());
  std::string text = fmt::format("operator          {} x {}\n", omega.rows(), omega.cols());
  text += fmt::format("frame bounds      {:.6g} to {:.6g}\n", figures.bounds.lower, figures.bounds.upper);
  text += fmt::format("row norms         {:.6g} to {:.6g}\n", figures.shortest, figures.longest);
  text += fmt::format("coherence         {:.4f}\n", figures.coherence);
  text += fmt::format("off a UNTF by     {:.2g} (tightness), {:.2g} (row norms)\n", found.frame.tightness,
                      found.frame.norms);
  text += fmt::format("signals           {}{}\n", signals.rows(),
                      profile.zero_signals > 0 ? fmt::format(", {} of them zero", profile.zero_signals) : "");
  text += fmt::format("zeros a signal    {:.2f} in the mean, median {}, {} to {}\n", profile.mean, median,
                      fewest, most);
  text += fmt::format("zeros a row       {} to {}\n", *least, *greatest);
  text += fmt::format("relative size     {:.1e} at most of a zero, {:.1e} at least of the others\n",
                      profile.largest_zero, profile.smallest_nonzero);
  if (found.tested.rows() > 0) {
    if (found.rank < omega.cols()) text += fmt::format("rows span         {} dimensions\n", found.rank);
    text += fmt::format("tangent space     {} dimensions\n", found.dimension);
    if (std::isfinite(found.least_squares)) {
      text += fmt::format("max|M|            {:.4f} of least squares, {:.4f} the best found\n",
                          found.least_squares, found.multiplier);
    }
    if (!std::isnan(found.exact_lower)) {
      text += fmt::format("smallest max|M|   {:.6f} to {:.6f} by the linear program\n", found.exact_lower,
                          found.exact_upper);
    }
  }
  return text + found.explanation + "\n";
}

std::string json_of(const Settings& settings, const Matrix<double>& omega, const Matrix<float>& signals,
                    const Figures& figures, const cosparse::OperatorCertificate& found) {
  auto root = nlohmann::ordered_json::parse(found.report.to_json());
  root["operator"] = {{"file", settings.op},
                      {"rows", omega.rows()},
                      {"cols", omega.cols()},
                      {"frame_bounds", {figures.bounds.lower, figures.bounds.upper}},
                      {"row_norms", {figures.shortest, figures.longest}},
                      {"coherence", figures.coherence},
                      {"tightness_residual", found.frame.tightness},
                      {"norm_residual", found.frame.norms},
                      {"rank", found.rank}};
  root["profile"] = {{"signals", signals.rows()},
                     {"zero_signals", found.profile.zero_signals},
                     {"mean_zeros", found.profile.mean},
                     {"signals_with_zeros", found.profile.signals},
                     {"zeros_of_row", found.profile.rows},
                     {"largest_zero", found.profile.largest_zero},
                     {"smallest_nonzero", found.profile.smallest_nonzero}};
  root["certificate"] = {{"verdict", enum_name(found.verdict)},
                         {"explanation", found.explanation},
                         {"objective", found.objective},
                         {"tangent_dimension", found.dimension},
                         {"injective", found.injective},
                         {"least_squares_multiplier", found.least_squares},
                         {"multiplier", found.multiplier},
                         {"residual", found.residual},
                         {"exact_multiplier", {found.exact_lower, found.exact_upper}},
                         {"growth", found.growth},
                         {"radius", found.radius},
                         {"slope", found.slope},
                         {"decrease", found.decrease}};
  return json_text(root);
}

int run(const Settings& settings, Terminal& terminal) {
  const auto op = input_path(settings.op), data = input_path(settings.data);
  check_readable(op);
  check_readable(data);
  if (settings.quiet) terminal.be_quiet();
  const Context context = terminal.context(settings.threads);

  const Matrix<double> omega = cosparse::read_operator(op, settings.max_memory);
  const Matrix<float> signals = read_npy_matrix(data, settings.max_memory);
  const cosparse::OperatorCertificate found =
      cosparse::certify_operator(omega, signals, settings.options, context);
  const Figures figures = measure(omega);
  print(settings.json ? json_of(settings, omega, signals, figures, found)
                      : text_of(omega, signals, figures, found));
  return found.report.status == Status::converged ? kDone : kNotConverged;
}

}  // namespace

Action add_operator_check(CLI::App& app) {
  const auto settings = std::make_shared<Settings>();
  app.footer(kExamples);
  app.add_option("OPERATOR", settings->op, "the operator: .npy, an atom a row")->required()->type_name("");
  app.add_option("--data", settings->data, "the signals: 2-D .npy, a signal a row; plain, .gz or .zst")
      ->required()
      ->type_name("FILE");
  describe(settings->options, Flags(app, "Certificate"));
  app.add_flag("--json", settings->json, "print the report as JSON")->group("Output");
  Flags(app, "Run")
      .word("max_memory", "unlimited", 0)(Field{"max_memory", "bytes a file may have; 0: no limit", 0, 9e18},
                                          settings->max_memory);
  add_run_flags(app, settings->threads, settings->quiet);
  return [settings](Terminal& terminal) { return run(*settings, terminal); };
}

}  // namespace parsimony::cli
