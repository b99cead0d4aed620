// parsimony operator learn: an analysis operator from signals.
#include <memory>

#include "exit_code.hpp"
#include "files.hpp"
#include "flags.hpp"
#include "verbs.hpp"

namespace parsimony::cli {

Action add_operator_learn(CLI::App&) {
  return [](Terminal&) -> int {
    throw Error(ErrorCode::unsupported, "operator learn: this build has no learner");
  };
}

}  // namespace parsimony::cli
