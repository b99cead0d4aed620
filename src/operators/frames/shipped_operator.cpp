// Implements shipped_operator of parsimony/operators/operator_file.hpp.
#include <array>
#include <string_view>

#include "core/files/npy_format.hpp"
#include "parsimony/operators/operator_file.hpp"

namespace parsimony::operators {

// The bytes of src/operators/frames/operator-128x64.npy.
extern const std::array<std::string_view, 1> kShippedOperators;

Matrix<double> shipped_operator() {
  return npy_matrix<double>(parse_npy(kShippedOperators[0], "operator-128x64.npy"));
}

}  // namespace parsimony::operators
