// Weights in product codes for the benchmarks of packed layers, and the float products of OpenBLAS beside
// them.
#pragma once

#include <cstdint>
#include <memory>

#include "parsimony/core/matrix.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/quant/quantized_tensor.hpp"

#ifdef PARSIMONY_BENCH_OPENBLAS
extern "C" {
void openblas_set_num_threads(int threads);
void cblas_sgemv(int order, int trans, int m, int n, float alpha, const float* a, int lda, const float* x,
                 int incx, float beta, float* y, int incy);
void cblas_sgemm(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float* a,
                 int lda, const float* b, int ldb, float beta, float* c, int ldc);
}
#endif

namespace parsimony::quant {

inline constexpr std::int64_t kD = 8, kCentroids = 256;

inline Matrix<float> normals(std::int64_t rows, std::int64_t cols, std::uint64_t seed) {
  Matrix<float> out(rows, cols);
  RandomStream(seed, "bench").fill_normal(out.values());
  return out;
}

/// Random codes of 256 centroids for blocks of 8 inputs.
inline QuantizedTensor product_weight(std::int64_t outputs, std::int64_t inputs) {
  QuantizedTensor weight;
  weight.shape = {outputs, inputs};
  weight.scheme = Scheme::product;
  auto codebook = std::make_shared<Codebook>();
  codebook->centroids = normals(kCentroids, kD, 1);
  weight.codebook = codebook;
  std::vector<std::uint8_t> codes(static_cast<std::size_t>(outputs * inputs / kD));
  const RandomStream stream(2, "bench");
  for (std::size_t i = 0; i < codes.size(); ++i) {
    codes[i] = static_cast<std::uint8_t>(stream.below(kCentroids, i));
  }
  weight.packed = std::move(codes);
  return weight;
}

}  // namespace parsimony::quant
