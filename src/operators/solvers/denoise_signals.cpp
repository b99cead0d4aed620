#include "parsimony/operators/denoise_signals.hpp"

#include "operators/frames/unit_rows.hpp"

namespace parsimony::operators {
namespace {

constexpr double kWeight = 1.2;  // times n / a, in units of sigma: the weight that suits images, too

}  // namespace

CosparseSignals denoise_signals(MatrixView<const float> noisy, MatrixView<const double> analysis_operator,
                                const SignalDenoisingOptions& options, const Context& context) {
  if (options.sigma == 0) refuse("sigma: it is not estimated for signals; give it");
  validate_fields(options);
  const Matrix<double> unit = unit_rows(analysis_operator);
  const double redundancy = static_cast<double>(unit.rows()) / static_cast<double>(unit.cols());
  const double weight = options.weight > 0 ? options.weight : kWeight / redundancy;
  return douglas_rachford(unit, noisy, {.lambda = 1 / (weight * options.sigma)}, context);
}

}  // namespace parsimony::operators
