// Banks of square filters on strips of an image: correlation, its adjoint, and the derivative by the filters.
#pragma once

#include <cstdint>
#include <vector>

namespace parsimony::kernels {

/// The largest side of a filter.
inline constexpr std::int64_t kMaxFilterSide = 16;
/// Number of zeros that must lie before and after every row of coefficients that `adjoint` reads.
inline constexpr std::int64_t kFilterMargin = 32;

/// A strip is a run of `columns` neighbouring positions in one image row. Its coefficients are filters ×
/// columns, one row per filter, `r_stride` apart. Position c covers image[u · stride + c + v] for u, v <
/// side. One element of all patches of a strip is thus a stretch of an image row, and no patch is copied.
///
/// A strip may also run over several image rows. Positions that wrap around are then computed too; the caller
/// sets them to zero before an adjoint or a gradient. Only pixels of the patches of a strip are read or
/// written. No pointer needs alignment; coefficients and image must not overlap. Sums run in a fixed order.
class FilterBank {
 public:
  FilterBank() = default;
  /// rows: filters × side², row-major; element u · side + v of a row belongs to offset (u, v).
  /// 1 ≤ side ≤ kMaxFilterSide.
  FilterBank(const float* rows, std::int64_t filters, std::int64_t side);

  std::int64_t filters() const { return filters_; }
  std::int64_t side() const { return side_; }

  /// r[i, c] = Σ_{u,v} w_i[u, v] · image[u, c + v]: 2 · side² flops per coefficient.
  /// Limit: multiply-adds; 16 sums stay in registers for 10 loads.
  void correlate(const float* image, std::int64_t stride, std::int64_t columns, float* r,
                 std::int64_t r_stride) const;

  /// image[u, c + v] += Σ_i w_i[u, v] · s[i, c]: as many flops as correlate. Limit: multiply-adds; `side`
  /// image rows are read and written once. Each row of s needs kFilterMargin zeros on both sides; two rows
  /// may share those between them.
  void adjoint(const float* s, std::int64_t s_stride, std::int64_t columns, float* image,
               std::int64_t stride) const;

 private:
  std::int64_t filters_ = 0;
  std::int64_t side_ = 0;
  std::vector<float> forward_;   // blocks of 8 filters: [block][u, v][filter]
  std::vector<float> backward_;  // [filter][v][u], rows u padded to 8
};

/// gradient[i, (u, v)] += Σ_c s[i, c] · image[u, c + v], with gradient filters × side², contiguous. It takes
/// as many flops as `correlate` and has the same limit, which strips of 16 or more vectors come near.
void filter_gradient(const float* s, std::int64_t s_stride, std::int64_t filters, const float* image,
                     std::int64_t stride, std::int64_t side, std::int64_t columns, float* gradient);

/// The same in plain C++, as a reference for tests. rows are those of FilterBank.
void correlate_scalar(const float* rows, std::int64_t filters, std::int64_t side, const float* image,
                      std::int64_t stride, std::int64_t columns, float* r, std::int64_t r_stride);
void adjoint_scalar(const float* rows, std::int64_t filters, std::int64_t side, const float* s,
                    std::int64_t s_stride, std::int64_t columns, float* image, std::int64_t stride);
void filter_gradient_scalar(const float* s, std::int64_t s_stride, std::int64_t filters, const float* image,
                            std::int64_t stride, std::int64_t side, std::int64_t columns, float* gradient);

}  // namespace parsimony::kernels
