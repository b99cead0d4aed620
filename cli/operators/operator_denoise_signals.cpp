#include "operators/operator_denoise_signals.hpp"

#include <fmt/format.h>

#include "parsimony/core/error.hpp"
#include "parsimony/core/npy.hpp"
#include "parsimony/images/sequence_denoising.hpp"
#include "parsimony/operators/denoise_signals.hpp"
#include "parsimony/operators/operator_file.hpp"
#include "support/exit_code.hpp"

namespace parsimony::cli {

int denoise_signals(const ImageFiles& files, const images::DenoiseOptions& options, Terminal& terminal,
                    const Context& context) {
  const operators::CosparseSignals found = operators::denoise_signals(
      operators::read_signals(files.input, context.memory_left()), options.analysis_operator,
      {.sigma = options.sigma, .weight = options.weight}, context);
  context.check_cancelled();
  OutputSet outputs;
  write_npy(outputs.file(files.output), found.signals.view());
  show_reports(files, {{&found.report, 1}, {&options.sigma, 1}}, {}, terminal, context, outputs);
  outputs.commit();
  if (found.report.status == Status::converged) return kDone;
  terminal.warning(
      "not converged: an iteration limit was met; the signals written are the last ones reached");
  return kNotConverged;
}

int denoise_line(const ImageFiles& files, const images::DenoiseOptions& options, const Matrix<float>& noisy,
                 const Terminal& terminal, const Context& context) {
  if (options.analysis_operator.size() == 0) {
    refuse(
        fmt::format("--operator: {} is a 1-D signal, which needs the operator that its windows are cosparse "
                    "under",
                    files.input));
  }
  if (image_format(files.output) != ImageFormat::npy) {
    refuse("--output: IN is a 1-D signal; its name must end in .npy");
  }
  const images::DenoisedSequence found = images::denoise_sequence(noisy.values(), options.analysis_operator,
                                                                  {.sigma = options.sigma,
                                                                   .weight = options.weight,
                                                                   .nu = options.nu,
                                                                   .max_iterations = options.max_iterations},
                                                                  context);
  context.check_cancelled();
  OutputSet outputs;
  write_npy(outputs.file(files.output), std::span<const float>(found.values));
  show_reports(files, {{&found.report, 1}, {&options.sigma, 1}}, {}, terminal, context, outputs);
  outputs.commit();
  return kDone;
}

}  // namespace parsimony::cli
