// The bytes of a saved model.
#pragma once

#include <cstdint>
#include <string>

#include "parsimony/cluster/model.hpp"

namespace parsimony::cluster {

/// load_model() on the bytes of a file; the name is for messages.
PointModel parse_model(std::string bytes, const std::string& name, std::int64_t max_bytes);

}  // namespace parsimony::cluster
