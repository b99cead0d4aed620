// NumPy arrays as views of the library, and results of the library as NumPy arrays, without copies.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "call.hpp"
#include "parsimony/core/matrix.hpp"

namespace parsimony::python {

/// Arrays that a binding accepts: contiguous, on the CPU, of exactly this type. Python files convert others.
template <class T>
using Array1 = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T>
using Array2 = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T>
using Array3 = nb::ndarray<const T, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

template <class T>
std::span<const T> span_of(const Array1<T>& array) {
  return {array.data(), array.size()};
}

template <class T>
MatrixView<const T> view_of(const Array2<T>& array) {
  return {array.data(), static_cast<std::int64_t>(array.shape(0)), static_cast<std::int64_t>(array.shape(1))};
}

/// A NumPy array of values that `owner` keeps.
template <class T>
nb::object array_in(T* data, std::initializer_list<std::size_t> shape, const nb::object& owner) {
  return nb::cast(nb::ndarray<nb::numpy, T, nb::c_contig>(data, shape, owner));
}

/// A NumPy array that owns the values.
template <class T>
nb::object array_of(std::vector<T>&& values) {
  auto* kept = new std::vector<T>(std::move(values));
  const nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  return array_in(kept->data(), {kept->size()}, owner);
}

template <class T>
nb::object array_of(Matrix<T>&& values) {
  auto* kept = new Matrix<T>(std::move(values));
  const nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<Matrix<T>*>(p); });
  return array_in(kept->data(),
                  {static_cast<std::size_t>(kept->rows()), static_cast<std::size_t>(kept->cols())}, owner);
}

}  // namespace parsimony::python
