// A report as a JSON value, for callers that add to it; Report::to_json() is its text. Private, so that
// public headers do not need a JSON library.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "parsimony/core/report.hpp"

namespace parsimony {

/// NaN and infinities stay as they are and become null when the value is written.
nlohmann::ordered_json report_json(const Report& report);

/// The memory of the process as it is now: bytes of limit, estimate and peak.
nlohmann::ordered_json memory_json(const Context& context);

}  // namespace parsimony
