#include "parsimony/operators/certify.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/operators/douglas_rachford.hpp"

namespace parsimony::operators {
namespace {

void check(const CertifyOptions& options) {
  validate_fields(options);
  validate_fields(options.data);
  if (!options.noise_aware) {
    if (options.lambda > 0) refuse("lambda: is the weight of option noise_aware, which was not given");
    return;
  }
  if (options.lambda == 0) {
    refuse("noise_aware: needs option lambda, the one that noise-aware learning reports");
  }
  if (options.project) refuse("project: has no meaning with option noise_aware");
  if (options.max_iterations != CertifyOptions{}.max_iterations) {
    refuse("max_iterations: has no meaning with option noise_aware");
  }
}

// The splitting goes on until zeros cannot be taken for small values; the test settles the doubts that
// remain.
PairCertificate test_pair(MatrixView<const double> analysis_operator, MatrixView<const float> noisy,
                          const CertifyOptions& options, const Context& context) {
  const CosparseSignals denoised =
      douglas_rachford(analysis_operator, noisy,
                       {.lambda = options.lambda, .max_iterations = 20000, .tolerance = 1e-9}, context);
  PairOptions pair{
      .lambda = options.lambda, .frame_tolerance = options.frame_tolerance, .exact = options.exact};
  if (options.zero_tolerance >= 0) pair.zero_tolerance = options.zero_tolerance;
  PairCertificate out = certify_pair(analysis_operator, noisy, denoised.signals, pair, context);
  add_before(out.report, denoised.report);
  return out;
}

CertifyResult test(MatrixView<const double> analysis_operator, MatrixView<const float> signals,
                   const CertifyOptions& options, const Context& context) {
  CertifyResult out;
  const auto take = [&](auto& to, auto certificate) {
    out.verdict = certificate.verdict;
    out.explanation = certificate.explanation;
    to = std::move(certificate);
  };
  if (options.noise_aware) {
    take(out.pair, test_pair(analysis_operator, signals, options, context));
    return out;
  }
  CertificateOptions clean{.frame_tolerance = options.frame_tolerance,
                           .project = options.project,
                           .max_iterations = options.max_iterations,
                           .exact = options.exact};
  if (options.zero_tolerance >= 0) clean.zero_tolerance = options.zero_tolerance;
  take(out.clean, certify_operator(analysis_operator, signals, clean, context));
  return out;
}

}  // namespace

CertifyResult certify(MatrixView<const double> analysis_operator, MatrixView<const float> signals,
                      const CertifyOptions& options, const Context& context) {
  check(options);
  check_signal_options(options.data);
  if (options.data.samples == 0) return test(analysis_operator, signals, options, context);
  return test(analysis_operator, draw_signals(signals, options.data.samples), options, context);
}

CertifyResult certify(MatrixView<const double> analysis_operator, std::span<const Image> images,
                      const CertifyOptions& options, const Context& context) {
  check(options);
  const std::int64_t values = analysis_operator.cols;
  const auto side = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(values))));
  SampleOptions data = options.data;
  if (side * side != values || (data.patch > 0 && data.patch != side)) {
    refuse(fmt::format("data: images, but the rows of the operator have {} and are not patches of {} pixels",
                       count_of(values, "value"),
                       data.patch > 0 ? fmt::format("{0} × {0}", data.patch) : "as many by as many"));
  }
  data.patch = side;
  return test(analysis_operator, draw_patches(images, data, 0, context), options, context);
}

}  // namespace parsimony::operators
