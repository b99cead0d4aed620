#include "parsimony/operators/certificate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/count_of.hpp"
#include "operators/certificates/certificate_search.hpp"
#include "operators/certificates/zero_pattern.hpp"
#include "operators/frames/checks.hpp"
#include "operators/frames/eigen_map.hpp"
#include "operators/frames/row_span.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::operators {
namespace {

void check_operator(MatrixView<const double> omega, MatrixView<const float> signals) {
  if (!has_enough_rows(omega)) {
    refuse(
        fmt::format("operator: {} x {}, but an analysis operator has at least as many rows as columns "
                    "(one less if no row has a mean)",
                    omega.rows, omega.cols));
  }
  if (signals.cols != omega.cols) {
    refuse(fmt::format(
        "signals: they have {} each, but the rows of the operator have {}; one signal a row is expected",
        count_of(signals.cols, "value"), omega.cols));
  }
  check_finite(omega, "operator");
}

}  // namespace

OperatorCertificate certify_operator(MatrixView<const double> omega, MatrixView<const float> signals,
                                     const CertificateOptions& options, const Context& context) {
  validate_fields(options);
  check_operator(omega, signals);
  OperatorCertificate out;
  out.report = make_report("local optimality", context, 0);
  record_options(out.report, options);
  out.least_squares = out.multiplier = out.exact_lower = out.exact_upper =
      std::numeric_limits<double>::quiet_NaN();

  // The test runs within the span of the rows, at the scale of a tight frame.
  StageTimer setup(out.report, "zeros");
  const double norm = as_eigen(omega).norm();
  const RowMajor basis = span_of_rows(omega);
  out.rank = basis.cols();
  const bool whole = out.rank == omega.cols;
  Matrix<double> inside(omega.rows, out.rank), coordinates(omega.cols, out.rank);
  as_eigen(coordinates.view()) = basis;
  as_eigen(inside.view()) = whole ? RowMajor(as_eigen(omega)) : RowMajor(as_eigen(omega) * basis);
  if (norm > 0) as_eigen(inside.view()) *= std::sqrt(static_cast<double>(out.rank)) / norm;
  Matrix<float> reduced;
  if (!whole) reduced = to_complement(signals, coordinates);
  const MatrixView<const float> seen = whole ? signals : reduced.view();

  out.frame = frame_residuals(inside);
  const double off = std::max(out.frame.tightness, out.frame.norms);
  const bool untf = off <= options.frame_tolerance;
  if (untf || options.project) retract(inside);
  const ZeroPattern pattern = find_zeros(inside, seen, options.zero_tolerance, context);
  setup.finish();
  out.profile = pattern.profile;
  out.objective = pattern.objective;
  if (!untf && !options.project) {
    out.explanation = fmt::format(
        "No verdict: the operator is not a unit-norm tight frame (‖ΩᵀΩ − I‖ = {:.2g}, row norms off by "
        "{:.2g}), "
        "and the test compares it with such frames only; project tests the nearest of them.",
        out.frame.tightness, out.frame.norms);
  } else {
    search_certificate(inside, seen, pattern, options, context, out);
    out.tested = Matrix<double>(omega.rows, omega.cols);
    as_eigen(out.tested.view()) =
        whole ? RowMajor(as_eigen(inside.view())) : as_eigen(inside.view()) * basis.transpose();
    if (!whole && out.direction.rows() > 0) {
      Matrix<double> full(omega.rows, omega.cols);
      as_eigen(full.view()) = as_eigen(out.direction.view()) * basis.transpose();
      out.direction = std::move(full);
    }
  }
  out.report.figures.emplace_back("verdict", std::string(enum_name(out.verdict)));
  out.report.figures.emplace_back("max_multiplier", out.multiplier);
  out.report.figures.emplace_back("tangent_dimension", out.dimension);
  return out;
}

}  // namespace parsimony::operators
