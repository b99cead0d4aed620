// Scripts by which shells complete the command: verbs, flags, names of values, and file names elsewhere.
#pragma once

#include <string>
#include <vector>

#include "support/verb_list.hpp"

namespace parsimony::cli {

std::string bash_completion(const std::vector<ListedVerb>& verbs);
std::string zsh_completion(const std::vector<ListedVerb>& verbs);
std::string fish_completion(const std::vector<ListedVerb>& verbs);

}  // namespace parsimony::cli
