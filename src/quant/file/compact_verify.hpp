// Comparison of a compact file with the model that it was written from.
#pragma once

#include <string>

#include "parsimony/quant/compact_file.hpp"

namespace parsimony::quant {

/// Throws io, naming the file and the tensor, if a value that was read differs from the model.
void verify_against(const CompactModel& read, const CompactModel& model, const std::string& file);

}  // namespace parsimony::quant
