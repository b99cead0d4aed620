#include "bench/peak.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/peak.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace parsimony::bench::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

double MultiplyAdds(int64_t rounds, float& result) {
  const hn::ScalableTag<float> f;
  const auto x = hn::Set(f, 0.999f), y = hn::Set(f, 1e-6f);
  // Ten chains hide the latency; they start apart, or the compiler would keep one of them.
  const auto start = [&](float value) HWY_ATTR { return hn::Set(f, value); };
  auto a = start(0), b = start(1), c = start(2), d = start(3), e = start(4);
  auto g = start(5), h = start(6), i = start(7), j = start(8), k = start(9);
  for (int64_t round = 0; round < rounds; ++round) {
    a = hn::MulAdd(a, x, y);
    b = hn::MulAdd(b, x, y);
    c = hn::MulAdd(c, x, y);
    d = hn::MulAdd(d, x, y);
    e = hn::MulAdd(e, x, y);
    g = hn::MulAdd(g, x, y);
    h = hn::MulAdd(h, x, y);
    i = hn::MulAdd(i, x, y);
    j = hn::MulAdd(j, x, y);
    k = hn::MulAdd(k, x, y);
  }
  const auto left = hn::Add(hn::Add(hn::Add(a, b), hn::Add(c, d)), e);
  const auto right = hn::Add(hn::Add(hn::Add(g, h), hn::Add(i, j)), k);
  result = hn::GetLane(hn::Add(left, right));
  return 2.0 * 10 * static_cast<double>(rounds) * static_cast<double>(hn::Lanes(f));
}

}  // namespace parsimony::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::bench {

HWY_EXPORT(MultiplyAdds);

double multiply_adds(std::int64_t rounds, float& result) {
  return HWY_DYNAMIC_DISPATCH(MultiplyAdds)(rounds, result);
}

}  // namespace parsimony::bench
#endif
