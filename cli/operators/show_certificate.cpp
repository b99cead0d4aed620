#include "operators/show_certificate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/count_of.hpp"
#include "core/report_json.hpp"
#include "support/show.hpp"

namespace parsimony::cli {
namespace {

// Figures of the operator itself, before any test.
struct Figures {
  operators::FrameBounds bounds;
  double coherence = 0;
  double shortest = 0, longest = 0;  // row norms
};

Figures measure(const Matrix<double>& omega) {
  Figures out{operators::frame_bounds(omega), operators::coherence(omega), INFINITY, 0};
  for (std::int64_t i = 0; i < omega.rows(); ++i) {
    double square = 0;
    for (const double value : omega.row(i)) square += value * value;
    out.shortest = std::min(out.shortest, std::sqrt(square));
    out.longest = std::max(out.longest, std::sqrt(square));
  }
  return out;
}

std::int64_t told(const operators::CosparsityProfile& profile) {
  return std::accumulate(profile.signals.begin(), profile.signals.end(), std::int64_t{0});
}

// The fewest zeros of a signal, the median, and the most.
std::array<std::int64_t, 3> quantiles(const operators::CosparsityProfile& profile) {
  std::int64_t seen = 0;
  std::array<std::int64_t, 3> out{-1, 0, 0};
  for (std::size_t k = 0; k < profile.signals.size(); ++k) {
    if (profile.signals[k] == 0) continue;
    const auto zeros = static_cast<std::int64_t>(k);
    if (out[0] < 0) out[0] = zeros;
    if (2 * seen < told(profile)) out[1] = zeros;
    out[2] = zeros;
    seen += profile.signals[k];
  }
  out[0] = std::max<std::int64_t>(out[0], 0);
  return out;
}

// JSON has no infinity; null means that a bound was not computed.
nlohmann::json bound_json(double bound) {
  if (std::isinf(bound)) return "infinity";
  return bound;
}

}  // namespace

std::string certificate_text(const Matrix<double>& omega, const operators::OperatorCertificate& found) {
  const Figures figures = measure(omega);
  const operators::CosparsityProfile& profile = found.profile;
  const auto [fewest, median, most] = quantiles(profile);
  const auto [least, greatest] = std::minmax_element(profile.rows.begin(), profile.rows.end());
  std::string text = fmt::format("operator          {} x {}\n", omega.rows(), omega.cols());
  text += fmt::format("frame bounds      {:.6g} to {:.6g}\n", figures.bounds.lower, figures.bounds.upper);
  text += fmt::format("row norms         {:.6g} to {:.6g}\n", figures.shortest, figures.longest);
  text += fmt::format("coherence         {:.4f}\n", figures.coherence);
  text += fmt::format("off a UNTF by     {:.2g} (tightness), {:.2g} (row norms)\n", found.frame.tightness,
                      found.frame.norms);
  text += fmt::format("signals           {}{}\n", told(profile) + profile.zero_signals,
                      profile.zero_signals > 0 ? fmt::format(", {} of them zero", profile.zero_signals) : "");
  text += fmt::format("zeros a signal    {:.2f} in the mean, median {}, {} to {}\n", profile.mean, median,
                      fewest, most);
  text += fmt::format("zeros a row       {} to {}\n", *least, *greatest);
  text += fmt::format("relative size     {:.1e} at most of a zero, {:.1e} at least of the others\n",
                      profile.largest_zero, profile.smallest_nonzero);
  if (found.tested.rows() > 0) {
    if (found.rank < omega.cols())
      text += fmt::format("rows span         {}\n", count_of(found.rank, "dimension"));
    text += fmt::format("tangent space     {}\n", count_of(found.dimension, "dimension"));
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

std::string certificate_json(const std::string& path, const Matrix<double>& omega,
                             const operators::OperatorCertificate& found) {
  const Figures figures = measure(omega);
  nlohmann::ordered_json root = report_json(found.report);
  root["operator"] = {{"file", path},
                      {"rows", omega.rows()},
                      {"cols", omega.cols()},
                      {"frame_bounds", {figures.bounds.lower, figures.bounds.upper}},
                      {"row_norms", {figures.shortest, figures.longest}},
                      {"coherence", figures.coherence},
                      {"tightness_residual", found.frame.tightness},
                      {"norm_residual", found.frame.norms},
                      {"rank", found.rank}};
  root["profile"] = {{"signals", told(found.profile) + found.profile.zero_signals},
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
                         {"exact_multiplier", {bound_json(found.exact_lower), bound_json(found.exact_upper)}},
                         {"growth", found.growth},
                         {"bend", found.bend},
                         {"radius", found.radius},
                         {"basin", bound_json(found.basin)},
                         {"slope", found.slope},
                         {"decrease", found.decrease}};
  return json_text(root);
}

}  // namespace parsimony::cli
