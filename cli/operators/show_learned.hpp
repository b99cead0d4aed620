// The output of operator learn, as text and as JSON.
#pragma once

#include <string>

#include "operators/learn_settings.hpp"
#include "parsimony/images/flow_training.hpp"
#include "parsimony/operators/learned_operator.hpp"

namespace parsimony::cli {

std::string learned_text(const operators::LearnedOperator& learned, const LearnSettings& settings);
std::string learned_json(const operators::LearnedOperator& learned, const LearnSettings& settings);

/// For a flow, or with one_energy for the operator of its energy, `found`.
std::string flow_text(const images::TrainedFlow& trained, const Matrix<double>& found,
                      const LearnSettings& settings);
std::string flow_json(const images::TrainedFlow& trained, const Matrix<double>& found,
                      const LearnSettings& settings);

}  // namespace parsimony::cli
