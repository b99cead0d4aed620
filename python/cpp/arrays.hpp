// NumPy arrays as views of the library, and results of the library as NumPy arrays, without copies.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "call.hpp"
#include "parsimony/core/error.hpp"
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
nb::object array_in(T* data, std::span<const std::size_t> shape, const nb::object& owner) {
  return nb::cast(nb::ndarray<nb::numpy, T, nb::c_contig>(data, shape.size(), shape.data(), owner));
}

template <class T>
nb::object array_in(T* data, std::size_t size, const nb::object& owner) {
  return array_in(data, std::span(&size, 1), owner);
}

/// A NumPy array of this shape that owns the values.
template <class T>
nb::object array_of(std::vector<T>&& values, std::span<const std::int64_t> shape) {
  auto* kept = new std::vector<T>(std::move(values));
  const nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  const std::vector<std::size_t> sizes(shape.begin(), shape.end());
  return array_in(kept->data(), sizes, owner);
}

template <class T>
nb::object array_of(std::vector<T>&& values, std::initializer_list<std::int64_t> shape) {
  return array_of(std::move(values), std::span(shape.begin(), shape.size()));
}

template <class T>
nb::object array_of(std::vector<T>&& values) {
  const std::int64_t size = std::ssize(values);
  return array_of(std::move(values), {size});
}

template <class T>
nb::object array_of(Matrix<T>&& values) {
  auto* kept = new Matrix<T>(std::move(values));
  const nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<Matrix<T>*>(p); });
  const std::array<std::size_t, 2> sizes{static_cast<std::size_t>(kept->rows()),
                                         static_cast<std::size_t>(kept->cols())};
  return array_in(kept->data(), sizes, owner);
}

/// The value of an enumeration by its name. Throws invalid_argument.
template <class Enum>
Enum value_named(const std::string& name) {
  for (const auto& [value, word] : names_of(Enum{})) {
    if (word == name) return value;
  }
  refuse("there is no " + name);
}

}  // namespace parsimony::python
