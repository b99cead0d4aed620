// Matrices of independent standard normal values.
#pragma once

#include <cstdint>
#include <string_view>

#include "parsimony/core/matrix.hpp"
#include "parsimony/core/random.hpp"

namespace parsimony::operators {

template <class T>
Matrix<T> normals(std::int64_t rows, std::int64_t cols, std::string_view name) {
  Matrix<T> out(rows, cols);
  const RandomStream stream(1, name);
  for (std::int64_t i = 0; i < out.size(); ++i) out.values()[i] = static_cast<T>(stream.normal(i));
  return out;
}

}  // namespace parsimony::operators
