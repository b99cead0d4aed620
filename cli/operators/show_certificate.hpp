// The output of operator check, as text and as JSON.
#pragma once

#include <string>

#include "parsimony/core/matrix.hpp"
#include "parsimony/operators/certificate.hpp"
#include "parsimony/operators/pair_certificate.hpp"

namespace parsimony::cli {

std::string certificate_text(const Matrix<double>& tested, const operators::OperatorCertificate& found);
std::string certificate_json(const std::string& path, const Matrix<double>& tested,
                             const operators::OperatorCertificate& found);
std::string pair_text(const operators::PairCertificate& found);
std::string pair_json(const std::string& path, const operators::PairCertificate& found);

}  // namespace parsimony::cli
