// The bytes of a .npy array, for files of their own and for the members of .npz archives.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "parsimony/core/matrix.hpp"

namespace parsimony {

/// An array in the bytes it was parsed from, which must live longer. data holds exactly size() items.
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

/// Throws Error(format) naming the byte, or Error(unsupported) for other dtypes.
NpyArray parse_npy(std::string_view bytes, const std::string& name);

/// All items, in the order they are stored; Out is int32, int64, float or double. Throws Error(format) naming
/// the item that Out cannot hold.
template <class Out>
std::vector<Out> npy_items(const NpyArray& array);

/// An array of one or two dimensions, of one as a column; T is float or double. Throws as npy_items does, and
/// for other dimensions.
template <class T>
Matrix<T> npy_matrix(const NpyArray& array);

/// The text of a 0-D item of kind S or U, without padding; "" for anything else.
std::string npy_text(const NpyArray& array);

/// Header of a little-endian array, rows first; descr as in NumPy: "<i4".
std::string npy_header(std::string_view descr, std::span<const std::int64_t> shape);

}  // namespace parsimony
