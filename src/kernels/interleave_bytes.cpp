#include "kernels/interleave_bytes.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/interleave_bytes.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/integer_product.hpp"

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

void InterleaveBytes(const std::array<const std::uint8_t*, 4>& rows, std::int64_t count,
                     const CodeBytes& bytes, std::int8_t* tile) {
  interleave_bytes_scalar(rows, count, bytes, tile);
}

#else

template <bool kTable>
HWY_INLINE void Interleave(const std::array<const std::uint8_t*, 4>& rows, std::int64_t count,
                           const CodeBytes& bytes, std::int8_t* tile) {
  const hn::FixedTag<std::uint8_t, 16> d;
  const hn::Repartition<std::uint32_t, decltype(d)> d32;
  const hn::Repartition<std::uint64_t, decltype(d)> d64;
  const auto table = hn::LoadU(d, kTable ? reinterpret_cast<const std::uint8_t*>(bytes.table) : rows[0]);
  const auto row = [&](int j, std::int64_t t) {
    const auto codes = hn::LoadU(d, rows[j] + t);
    if constexpr (kTable) return hn::BitCast(d32, hn::TableLookupBytes(table, codes));
    return hn::BitCast(d32, hn::Sub(codes, hn::Set(d, bytes.zero[j])));
  };
  constexpr std::int64_t kRow = 4 * kIntegerOutputs;
  for (std::int64_t t = 0; t < count; t += kInterleaved, tile += kRow * kInterleaved / 4) {
    const auto r0 = row(0, t), r1 = row(1, t), r2 = row(2, t), r3 = row(3, t);
    const auto low01 = hn::BitCast(d64, hn::InterleaveLower(d32, r0, r1)),
               low23 = hn::BitCast(d64, hn::InterleaveLower(d32, r2, r3)),
               high01 = hn::BitCast(d64, hn::InterleaveUpper(d32, r0, r1)),
               high23 = hn::BitCast(d64, hn::InterleaveUpper(d32, r2, r3));
    const auto store = [&](auto values, std::int64_t i) {
      hn::StoreU(hn::BitCast(d, values), d, reinterpret_cast<std::uint8_t*>(tile + i * kRow));
    };
    store(hn::InterleaveLower(d64, low01, low23), 0);
    store(hn::InterleaveUpper(d64, low01, low23), 1);
    store(hn::InterleaveLower(d64, high01, high23), 2);
    store(hn::InterleaveUpper(d64, high01, high23), 3);
  }
}

void InterleaveBytes(const std::array<const std::uint8_t*, 4>& rows, std::int64_t count,
                     const CodeBytes& bytes, std::int8_t* tile) {
  if (count == 0) return;
  if (bytes.table != nullptr) {
    Interleave<true>(rows, count, bytes, tile);
  } else {
    Interleave<false>(rows, count, bytes, tile);
  }
}

#endif

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(InterleaveBytes);

void interleave_bytes(const std::array<const std::uint8_t*, 4>& rows, std::int64_t count,
                      const CodeBytes& bytes, std::int8_t* tile) {
  HWY_DYNAMIC_DISPATCH(InterleaveBytes)(rows, count, bytes, tile);
}

void interleave_bytes_scalar(const std::array<const std::uint8_t*, 4>& rows, std::int64_t count,
                             const CodeBytes& bytes, std::int8_t* tile) {
  for (std::int64_t t = 0; t < count; ++t) {
    for (std::int64_t j = 0; j < 4; ++j) {
      const std::uint8_t code = rows[j][t];
      tile[t / 4 * 4 * kIntegerOutputs + 4 * j + t % 4] =
          bytes.table != nullptr ? bytes.table[code] : static_cast<std::int8_t>(code - bytes.zero[j]);
    }
  }
}

}  // namespace parsimony::kernels
#endif  // HWY_ONCE
