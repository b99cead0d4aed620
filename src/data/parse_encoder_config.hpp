// The config.json of an encoder as a text.
#pragma once

#include <string>
#include <string_view>

#include "parsimony/data/encoder_config.hpp"

namespace parsimony::data {

/// read_encoder_config() of a text; messages begin with the name.
EncoderConfig parse_encoder_config(std::string_view text, const std::string& name);

}  // namespace parsimony::data
