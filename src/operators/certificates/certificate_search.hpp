// The search for multipliers that certify an operator, or for a direction that refutes it.
#pragma once

#include "operators/certificates/zero_pattern.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/operators/certificate.hpp"

namespace parsimony::operators {

/// To a UNTF by alternation alone, which leaves a UNTF where it is; the exact end only where that is too
/// slow.
void retract(MatrixView<double> omega);

/// Fills in verdict and explanation of a UNTF of full rank, and all that they rest on: see certify_operator.
void search_certificate(MatrixView<const double> omega, MatrixView<const float> signals,
                        const ZeroPattern& pattern, const CertificateOptions& options, const Context& context,
                        OperatorCertificate& out);

}  // namespace parsimony::operators
