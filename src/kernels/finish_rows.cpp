#include "kernels/finish_rows.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/finish_rows.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>

#include "kernels/activation-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace parsimony::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

struct Rows {
  const float* x;
  std::int64_t x_stride, rows, columns;
  Finish finish;
  const float* add;
  std::int64_t add_stride;
  float* y;
  std::int64_t y_stride;
};

template <Activation kActivation>
void FinishAs(const Rows& all) {
  const hn::CappedTag<float, kFinishPadding> d;
  const auto step = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t c = 0; c < all.columns; c += step) {
    const auto factor = all.finish.factor == nullptr ? hn::Set(d, 1) : hn::LoadU(d, all.finish.factor + c);
    const auto bias = all.finish.bias == nullptr ? hn::Zero(d) : hn::LoadU(d, all.finish.bias + c);
    for (std::int64_t r = 0; r < all.rows; ++r) {
      auto value =
          Activate<kActivation>(d, hn::MulAdd(hn::LoadU(d, all.x + r * all.x_stride + c), factor, bias));
      if (all.add != nullptr) value = hn::Add(value, hn::LoadU(d, all.add + r * all.add_stride + c));
      hn::StoreU(value, d, all.y + r * all.y_stride + c);
    }
  }
}

void FinishRows(const float* x, std::int64_t x_stride, std::int64_t rows, std::int64_t columns,
                const Finish& finish, const float* add, std::int64_t add_stride, float* y,
                std::int64_t y_stride) {
  const Rows all{x, x_stride, rows, columns, finish, add, add_stride, y, y_stride};
  switch (finish.activation) {
    case Activation::none:
      return FinishAs<Activation::none>(all);
    case Activation::relu6:
      return FinishAs<Activation::relu6>(all);
    case Activation::silu:
      return FinishAs<Activation::silu>(all);
    case Activation::sigmoid:
      return FinishAs<Activation::sigmoid>(all);
  }
}

}  // namespace parsimony::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace parsimony::kernels {

HWY_EXPORT(FinishRows);

void finish_rows(const float* x, std::int64_t x_stride, std::int64_t rows, std::int64_t columns,
                 const Finish& finish, const float* add, std::int64_t add_stride, float* y,
                 std::int64_t y_stride) {
  HWY_DYNAMIC_DISPATCH(FinishRows)(x, x_stride, rows, columns, finish, add, add_stride, y, y_stride);
}

float activate_scalar(Activation activation, float x) {
  switch (activation) {
    case Activation::none:
      break;
    case Activation::relu6:
      return std::min(std::max(x, 0.0F), 6.0F);
    case Activation::silu:
      return static_cast<float>(x / (1 + std::exp(-static_cast<double>(x))));
    case Activation::sigmoid:
      return static_cast<float>(1 / (1 + std::exp(-static_cast<double>(x))));
  }
  return x;
}

void finish_rows_scalar(const float* x, std::int64_t x_stride, std::int64_t rows, std::int64_t columns,
                        const Finish& finish, const float* add, std::int64_t add_stride, float* y,
                        std::int64_t y_stride) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      const float factor = finish.factor == nullptr ? 1 : finish.factor[c],
                  bias = finish.bias == nullptr ? 0 : finish.bias[c];
      float value = activate_scalar(finish.activation, x[r * x_stride + c] * factor + bias);
      if (add != nullptr) value += add[r * add_stride + c];
      y[r * y_stride + c] = value;
    }
  }
}

}  // namespace parsimony::kernels
#endif  // HWY_ONCE
