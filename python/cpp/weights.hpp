// Weights and tensors of networks between Python and the library.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstdint>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.hpp"
#include "parsimony/core/safetensors.hpp"
#include "parsimony/quant/quantized_tensor.hpp"

namespace parsimony::python {

/// The annotation of a member without arguments in the .pyi file of the module.
#define PARSIMONY_RETURNS(NAME, TYPE) nb::sig("def " NAME "(self) -> " TYPE)

/// A weight of any number of dimensions in C order.
using Weight = nb::ndarray<const float, nb::c_contig, nb::device::cpu>;

inline std::vector<std::int64_t> shape_of(const Weight& weight) {
  std::vector<std::int64_t> shape;
  for (std::size_t i = 0; i < weight.ndim(); ++i) shape.push_back(static_cast<std::int64_t>(weight.shape(i)));
  return shape;
}

/// A tensor: name, type in the words of safetensors ("F32"), shape, and bytes.
using Tensor = std::tuple<std::string, std::string, std::vector<std::int64_t>,
                          nb::ndarray<const std::uint8_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>>;

/// Views of the bytes, which the tensors own. Throws invalid_argument for another type.
std::vector<TensorView> views_of(const std::vector<Tensor>& tensors);

}  // namespace parsimony::python
