#include "operators/operator_denoise_signals.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "parsimony/core/error.hpp"
#include "parsimony/core/npy.hpp"
#include "parsimony/images/sequence_denoising.hpp"
#include "parsimony/operators/douglas_rachford.hpp"
#include "parsimony/operators/operator_file.hpp"
#include "support/exit_code.hpp"

namespace parsimony::cli {
namespace {

constexpr double kSignalWeight = 1.2;  // times n / a

void check_sigma(double sigma) {
  if (sigma == 0) refuse("--sigma: of signals it is not estimated; give it");
  if (sigma < 1e-30) refuse(fmt::format("--sigma: {} is out of range; must be at least 1e-30", sigma));
}

}  // namespace

int denoise_signals(const ImageFiles& files, const SignalDenoising& settings, Terminal& terminal,
                    const Context& context) {
  check_sigma(settings.sigma);
  Matrix<double> omega = operators::read_operator(settings.op);
  for (std::int64_t i = 0; i < omega.rows(); ++i) {
    double squares = 0;
    for (const double value : omega.row(i)) squares += value * value;
    for (double& value : omega.row(i)) value /= std::sqrt(squares);
  }
  const double redundancy = static_cast<double>(omega.rows()) / static_cast<double>(omega.cols());
  const double weight = settings.weight > 0 ? settings.weight : kSignalWeight / redundancy;
  const Matrix<float> noisy = read_npy_matrix(files.input);
  operators::CosparseSignals found =
      operators::douglas_rachford(omega, noisy, {.lambda = 1 / (weight * settings.sigma)}, context);
  context.check_cancelled();
  write_npy(files.output, found.signals.view());
  print_image_result(files, {found.report}, {settings.sigma}, nullptr);
  if (found.report.status == Status::converged) return kDone;
  terminal.warning("not converged: an iteration limit was met; the signals are what was reached by then");
  return kNotConverged;
}

int denoise_line(const ImageFiles& files, const SignalDenoising& settings, const Matrix<float>& noisy,
                 const Context& context) {
  if (settings.op.empty()) {
    refuse(
        fmt::format("--operator: {} is one signal, which needs the operator that its windows are cosparse "
                    "under",
                    files.input));
  }
  check_sigma(settings.sigma);
  if (!files.reference.empty()) refuse("--reference: of images; IN is one signal");
  if (image_format(files.output) != ImageFormat::npy) {
    refuse("--output: IN is one signal; its name must end in .npy");
  }
  const Matrix<double> omega = operators::read_operator(settings.op);
  images::SequenceDenoisingOptions options{
      .sigma = settings.sigma, .weight = settings.weight, .nu = settings.nu};
  if (settings.max_iterations > 0) options.max_iterations = settings.max_iterations;
  const images::DenoisedSequence found = images::denoise_sequence(noisy.values(), omega, options, context);
  context.check_cancelled();
  write_npy(files.output, std::span<const float>(found.values));
  print_image_result(files, {found.report}, {settings.sigma}, nullptr);
  return kDone;
}

}  // namespace parsimony::cli
