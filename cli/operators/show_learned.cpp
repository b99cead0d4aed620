#include "operators/show_learned.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/count_of.hpp"
#include "core/report_json.hpp"
#include "operators/training_data.hpp"
#include "parsimony/operators/frames.hpp"
#include "support/show.hpp"

namespace parsimony::cli {
namespace {

struct FrameFigures {
  operators::FrameBounds bounds;
  double coherence = 0;
};

FrameFigures frame_figures(const Matrix<double>& found, bool zero_mean) {
  return {zero_mean ? operators::zero_mean_frame_bounds(found) : operators::frame_bounds(found),
          operators::coherence(found)};
}

std::string frame_text(const FrameFigures& figures) {
  return fmt::format("frame bounds      {:.6g} to {:.6g}\ncoherence         {:.4f}\n", figures.bounds.lower,
                     figures.bounds.upper, figures.coherence);
}

void add_frame(nlohmann::ordered_json& json, const FrameFigures& figures) {
  json["frame_bounds"] = {figures.bounds.lower, figures.bounds.upper};
  json["coherence"] = figures.coherence;
}

bool from_images(const LearnSettings& settings) {
  return are_images(settings.paths, settings.options.data);
}

FrameFigures frame_figures(const operators::LearnedOperator& learned, const LearnSettings& settings) {
  return frame_figures(learned.analysis_operator, settings.options.zero_mean || from_images(settings));
}

}  // namespace

std::string learned_text(const operators::LearnedOperator& learned, const LearnSettings& settings) {
  const Matrix<double>& found = learned.analysis_operator;
  std::string text =
      fmt::format("signals           {} of {}\n", learned.samples, count_of(found.cols(), "value"));
  text += fmt::format("operator          {} x {}, {}\n", found.rows(), found.cols(),
                      enum_name(settings.options.method));
  text += fmt::format("iterations        {}\nobjective         {:.6g}\n", learned.report.iterations,
                      learned.objective);
  text += frame_text(frame_figures(learned, settings));
  return text + fmt::format("seconds           {:.3f}\n", learned.report.seconds());
}

std::string learned_json(const operators::LearnedOperator& learned, const LearnSettings& settings) {
  const Matrix<double>& found = learned.analysis_operator;
  nlohmann::ordered_json root = report_json(learned.report);
  root["data"] = {{"paths", settings.paths},
                  {"images", from_images(settings)},
                  {"signals", learned.samples},
                  {"values", found.cols()}};
  root["operator"] = {{"path", settings.output},
                      {"method", enum_name(settings.options.method)},
                      {"rows", found.rows()},
                      {"cols", found.cols()},
                      {"objective", learned.objective}};
  add_frame(root["operator"], frame_figures(learned, settings));
  return json_text(root);
}

std::string flow_text(const images::TrainedFlow& trained, const Matrix<double>& found,
                      const LearnSettings& settings) {
  const images::UnrolledFlow& flow = trained.flow;
  std::string text = fmt::format("images            {}\n", settings.paths.size());
  if (settings.flow.one_energy) {
    text += fmt::format("operator          {} x {}, trained through {}\n", flow.filters(),
                        flow.side * flow.side, count_of(flow.steps(), "step"));
    text += frame_text(frame_figures(found, true));
  } else {
    text += fmt::format("flow              {}, {} of {} x {} pixels{}\n", count_of(flow.steps(), "step"),
                        count_of(flow.filters(), "filter"), flow.side, flow.side,
                        flow.shared() ? "" : " in each");
  }
  text += fmt::format("iterations        {}\ngain in PSNR      {:.2f} dB, on the last crops\n",
                      trained.report.iterations, trained.report.figure<double>("psnr_gain"));
  return text + fmt::format("seconds           {:.3f}\n", trained.report.seconds());
}

std::string flow_json(const images::TrainedFlow& trained, const Matrix<double>& found,
                      const LearnSettings& settings) {
  const images::UnrolledFlow& flow = trained.flow;
  nlohmann::ordered_json root = report_json(trained.report);
  root["data"] = {{"paths", settings.paths}, {"images", true}};
  if (settings.flow.one_energy) {
    root["operator"] = {{"path", settings.output}, {"rows", flow.filters()}, {"cols", flow.side * flow.side}};
    add_frame(root["operator"], frame_figures(found, true));
  } else {
    root["flow"] = {{"path", settings.output},
                    {"steps", flow.steps()},
                    {"side", flow.side},
                    {"filters", flow.filters()},
                    {"own_filters", !flow.shared()}};
  }
  return json_text(root);
}

}  // namespace parsimony::cli
