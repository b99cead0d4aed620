#include "parsimony/core/processes.hpp"

namespace parsimony {

const Processes& one_process() {
  static const Processes one;
  return one;
}

}  // namespace parsimony
