#include "operators/show_learned.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "support/show.hpp"

namespace parsimony::cli {

FrameFigures frame_figures(const Matrix<double>& omega, bool zero_mean) {
  FrameFigures out{operators::frame_bounds(omega), operators::coherence(omega)};
  if (!zero_mean) return out;
  const Matrix<double> basis = operators::zero_mean_basis(omega.cols());
  Matrix<double> seen(omega.rows(), omega.cols() - 1);
  for (std::int64_t i = 0; i < omega.rows(); ++i) {
    for (std::int64_t c = 0; c < omega.cols(); ++c) {
      for (std::int64_t k = 0; k < seen.cols(); ++k) seen(i, k) += omega(i, c) * basis(c, k);
    }
  }
  out.bounds = operators::frame_bounds(seen);
  return out;
}

std::string frame_text(const FrameFigures& figures) {
  return fmt::format("frame bounds      {:.6g} to {:.6g}\ncoherence         {:.4f}\n", figures.bounds.lower,
                     figures.bounds.upper, figures.coherence);
}

std::string learned_text(const Learned& learned, const FrameFigures& figures, const Matrix<float>& signals) {
  std::string text = fmt::format("signals           {} of {} values\n", signals.rows(), signals.cols());
  text += fmt::format("operator          {} x {}, {}\n", learned.omega.rows(), learned.omega.cols(),
                      learned.method);
  text += fmt::format("iterations        {}\nobjective         {:.6g}\n", learned.report.iterations,
                      learned.objective);
  text += frame_text(figures);
  return text + fmt::format("seconds           {:.3f}\n", learned.report.seconds());
}

std::string learned_json(const Learned& learned, const FrameFigures& figures, const Matrix<float>& signals,
                         const TrainingData& data, const std::string& output) {
  auto root = nlohmann::ordered_json::parse(learned.report.to_json());
  root["data"] = {{"paths", data.paths},
                  {"images", are_images(data)},
                  {"signals", signals.rows()},
                  {"values", signals.cols()}};
  root["operator"] = {{"path", output},
                      {"method", learned.method},
                      {"rows", learned.omega.rows()},
                      {"cols", learned.omega.cols()},
                      {"objective", learned.objective},
                      {"frame_bounds", {figures.bounds.lower, figures.bounds.upper}},
                      {"coherence", figures.coherence}};
  return json_text(root);
}

}  // namespace parsimony::cli
