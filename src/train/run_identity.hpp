// The identity of a run: everything that its results depend on. A checkpoint belongs to one identity.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "parsimony/core/report.hpp"
#include "parsimony/train/trainer.hpp"

namespace parsimony::train {

using OptionList = std::vector<std::pair<std::string, ReportValue>>;

/// All options of the plan, each with the name of its part: "noise.rate".
OptionList options_of(const TrainingPlan& plan);

/// A line for each option but those that only say when something is written.
std::string identity_of(const OptionList& options);

/// Throws invalid_argument, naming what differs first, unless both are the same.
void check_identity(const std::string& saved, const std::string& now,
                    const std::filesystem::path& checkpoint);

}  // namespace parsimony::train
