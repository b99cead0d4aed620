// Dense row-major matrices: an owning type, aligned for SIMD, and views.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace parsimony {

/// A view of rows × cols values; row r starts at data + r · stride. Indices are asserted; in a build with
/// NDEBUG an index out of range is undefined behaviour.
template <class T>
struct MatrixView {
  T* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t stride = 0;

  MatrixView() = default;
  MatrixView(T* data_, std::int64_t rows_, std::int64_t cols_) : MatrixView(data_, rows_, cols_, cols_) {}
  MatrixView(T* data_, std::int64_t rows_, std::int64_t cols_, std::int64_t stride_)
      : data(data_), rows(rows_), cols(cols_), stride(stride_) {}

  /// Also accepts r = rows, the end of the last row.
  T* row_data(std::int64_t r) const {
    assert(r >= 0 && r <= rows);
    return data + r * stride;
  }
  std::span<T> row(std::int64_t r) const {
    assert(r >= 0 && r < rows);
    return {data + r * stride, static_cast<std::size_t>(cols)};
  }
  T& operator()(std::int64_t r, std::int64_t c) const {
    assert(r >= 0 && r < rows && c >= 0 && c < cols);
    return data[r * stride + c];
  }

  operator MatrixView<const T>() const requires(!std::is_const_v<T>) { return {data, rows, cols, stride}; }
};

/// Allocates memory on a 64-byte boundary, and on huge pages from 4 MiB on if the system has them: gathers
/// from a large panel otherwise miss the TLB more often than the data caches. Throws std::bad_alloc.
void* allocate_aligned(std::size_t bytes);
/// bytes: as they were allocated.
void release_aligned(void* pointer, std::size_t bytes) noexcept;

/// The deleter of memory of that many bytes.
struct ReleaseAligned {
  void operator()(void* pointer) const noexcept { release_aligned(pointer, bytes); }
  std::size_t bytes = 0;
};

/// An owning, contiguous, zero-initialised matrix. Its first value lies on a 64-byte boundary, the size of a
/// cache line and of an AVX-512 vector.
template <class T>
class Matrix {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Matrix() = default;
  Matrix(std::int64_t rows, std::int64_t cols) : rows_(rows), cols_(cols), data_(allocate(rows * cols)) {
    std::fill_n(data_.get(), rows * cols, T{});
  }
  Matrix(const Matrix& other) : rows_(other.rows_), cols_(other.cols_), data_(allocate(other.size())) {
    std::copy_n(other.data_.get(), other.size(), data_.get());
  }
  /// A moved-from matrix is empty: 0 × 0.
  Matrix(Matrix&& other) noexcept
      : rows_(std::exchange(other.rows_, 0)),
        cols_(std::exchange(other.cols_, 0)),
        data_(std::move(other.data_)) {}
  Matrix& operator=(Matrix other) noexcept {
    rows_ = other.rows_;
    cols_ = other.cols_;
    data_ = std::move(other.data_);
    return *this;
  }

  std::int64_t rows() const { return rows_; }
  std::int64_t cols() const { return cols_; }
  std::int64_t size() const { return rows_ * cols_; }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::span<T> row(std::int64_t r) { return view().row(r); }
  std::span<const T> row(std::int64_t r) const { return view().row(r); }
  T& operator()(std::int64_t r, std::int64_t c) { return view()(r, c); }
  const T& operator()(std::int64_t r, std::int64_t c) const { return view()(r, c); }
  std::span<T> values() { return {data_.get(), static_cast<std::size_t>(size())}; }
  std::span<const T> values() const { return {data_.get(), static_cast<std::size_t>(size())}; }
  MatrixView<T> view() { return {data_.get(), rows_, cols_}; }
  MatrixView<const T> view() const { return {data_.get(), rows_, cols_}; }
  operator MatrixView<T>() { return view(); }
  operator MatrixView<const T>() const { return view(); }

 private:
  using Data = std::unique_ptr<T[], ReleaseAligned>;
  static Data allocate(std::int64_t count) {
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
    return Data(static_cast<T*>(allocate_aligned(bytes)), ReleaseAligned{bytes});
  }

  std::int64_t rows_ = 0;
  std::int64_t cols_ = 0;
  Data data_;
};

/// The values of a view as a contiguous matrix.
template <class T>
Matrix<std::remove_const_t<T>> copy_of(MatrixView<T> view) {
  Matrix<std::remove_const_t<T>> out(view.rows, view.cols);
  for (std::int64_t r = 0; r < view.rows; ++r) std::copy_n(view.row_data(r), view.cols, out.row(r).data());
  return out;
}

}  // namespace parsimony
