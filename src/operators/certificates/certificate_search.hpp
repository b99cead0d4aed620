// The search for multipliers that certify an operator, or for a direction that refutes it.
#pragma once

#include "operators/certificates/zero_pattern.hpp"
#include "parsimony/core/context.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/operators/certificate.hpp"

namespace parsimony::operators {

/// Projects on UNTF by alternation, which does not move a UNTF. Uses the exact end of project_untf only when
/// the alternation is too slow.
void retract(MatrixView<double> omega);

/// Fills in the verdict on a UNTF of full rank, its explanation and the figures behind both: see
/// certify_operator.
void search_certificate(MatrixView<const double> omega, MatrixView<const float> signals,
                        const ZeroPattern& pattern, const CertificateOptions& options, const Context& context,
                        OperatorCertificate& out);

}  // namespace parsimony::operators
