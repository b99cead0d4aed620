// Text for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace parsimony::cli {

/// The text with all characters that could change what a terminal shows, or how, as \u202e, and bytes that
/// are not UTF-8 as \x9b: control characters (C0 except those in `kept`, C1, DEL), line separators, and the
/// marks that change the direction of writing. In JSON the result means the same as the text.
std::string escaped(std::string_view text, std::string_view kept = "");

}  // namespace parsimony::cli
