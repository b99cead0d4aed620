// Temporary files: their names, and those that dead processes left.
#pragma once

#include <string>

namespace parsimony {

/// .parsimony-HEX.partial: 8 digits that the host has until its next start, and 16 random ones.
std::string temporary_name();

}  // namespace parsimony
