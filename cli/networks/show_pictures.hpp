// The classes of pictures.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "parsimony/run/pictures.hpp"

namespace parsimony::cli {

std::string pictures_text(const run::PictureRun& made);
nlohmann::ordered_json pictures_json(const run::PictureRun& made);

}  // namespace parsimony::cli
