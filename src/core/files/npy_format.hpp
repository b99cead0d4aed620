// Parses and writes the bytes of a .npy array, for .npy files and for members of .npz archives.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/core/matrix.hpp"

namespace parsimony {

/// An array that refers to the parsed bytes, which must outlive it. data holds exactly size() items.
struct NpyArray {
  std::string name;  ///< for messages
  char kind = 'f';   ///< b, i, u, f as in NumPy's dtype; S and U are text
  int width = 4;     ///< bytes of an item
  bool big_endian = false;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
  std::string_view data;

  std::int64_t size() const;  ///< number of items
};

/// Throws Error(format) with the offset of the fault, and Error(unsupported) for other dtypes.
NpyArray parse_npy(std::string_view bytes, const std::string& name);

/// All items in the stored order; Out is int32, int64, float or double. Throws Error(format) for an item
/// that Out cannot hold and names its index.
template <class Out>
std::vector<Out> npy_items(const NpyArray& array);

/// A 1-D or 2-D array as a matrix; a 1-D array becomes a column. T is float or double. Throws Error(format)
/// for other dimensions, and as npy_items.
template <class T>
Matrix<T> npy_matrix(const NpyArray& array);

/// The text of a 0-D item of kind S or U, without padding; "" for anything else.
std::string npy_text(const NpyArray& array);

/// Header of a little-endian array in C order; descr as in NumPy: "<i4".
std::string npy_header(std::string_view descr, std::span<const std::int64_t> shape);

}  // namespace parsimony
