#include "run/inverted_block.hpp"

#include <algorithm>
#include <array>

#include "kernels/depthwise.hpp"

namespace parsimony::run {
namespace {

constexpr std::int64_t kPanelChannels = PointwiseLayer::kPanel;
constexpr std::int64_t kStripValues = 1 << 16;  // a strip takes 256 KiB, in the second cache
constexpr std::int64_t kScaledPixels = 64;

}  // namespace

// `before` zeros lie above and left of the input; a strip has `rows` rows of outputs.
struct InvertedBlock::Sides {
  data::ConvolutionSide down, across;
  std::int64_t width = 0;  // columns of a strip, with its zeros
  std::int64_t rows = 0, strips = 0;

  std::int64_t first_row(std::int64_t strip, std::int64_t stride) const {
    return strip * rows * stride - down.before;
  }
  std::int64_t outputs(std::int64_t strip) const { return std::min(rows, down.outputs - strip * rows); }
  static std::int64_t inputs(std::int64_t outputs, const data::EfficientNetBlockShape& shape) {
    return (outputs - 1) * shape.stride + shape.kernel;
  }
};

InvertedBlock::InvertedBlock(Weights& weights, const std::string& name,
                             const data::EfficientNetBlockShape& shape, const ConvolutionStyle& style,
                             std::int64_t pixels)
    : shape_(shape), style_(style) {
  const std::int64_t wide = shape.wide(), kernel = shape.kernel,
                     outputs = pixels / (shape.stride * shape.stride);
  const double epsilon = data::batch_norm_epsilon(style.padding);
  const auto norm = [&](const std::string& part, std::int64_t channels) {
    return FoldedNorm::batch_norm(weights, name + "." + part, channels, epsilon);
  };
  if (shape.expansion > 1) {
    expand_.emplace(weights, name + ".conv_pw", norm("bn1", wide),
                    PointwiseOptions{wide, shape.in, pixels, style.activation, style.product});
  }
  const FoldedNorm folded = norm(shape.depthwise_norm(), wide);
  const std::vector<float> values = decoded_weight(weights, name + ".conv_dw.weight");
  depthwise_ = Matrix<float>(kernel * kernel, ImageMap::padded(wide));
  for (std::int64_t c = 0; c < wide; ++c) {
    for (std::int64_t t = 0; t < kernel * kernel; ++t) {
      depthwise_(t, c) = values[c * kernel * kernel + t] * folded.factor[c];
    }
  }
  depthwise_bias_ = folded.bias;
  if (shape.reduced > 0) {
    reduce_.emplace(weights, name + ".se.conv_reduce",
                    FoldedNorm::bias_alone(weights, name + ".se.conv_reduce.bias", shape.reduced),
                    PointwiseOptions{shape.reduced, wide, 1, kernels::Activation::silu, style.product});
    excite_.emplace(weights, name + ".se.conv_expand",
                    FoldedNorm::bias_alone(weights, name + ".se.conv_expand.bias", wide),
                    PointwiseOptions{wide, shape.reduced, 1, kernels::Activation::sigmoid, style.product});
  }
  project_.emplace(weights, name + "." + shape.projection(), norm(shape.projection_norm(), shape.out),
                   PointwiseOptions{shape.out, wide, outputs, kernels::Activation::none, style.product});
}

std::int64_t InvertedBlock::bytes() const {
  std::int64_t sum = 4 * (depthwise_.size() + std::ssize(depthwise_bias_));
  for (const auto* layer : {&expand_, &reduce_, &excite_, &project_}) sum += *layer ? (*layer)->bytes() : 0;
  return sum;
}

std::int64_t InvertedBlock::in_codes() const {
  std::int64_t count = 0;
  for (const auto* layer : {&expand_, &reduce_, &excite_, &project_}) {
    if (*layer && (*layer)->in_codes()) ++count;
  }
  return count;
}

InvertedBlock::Sides InvertedBlock::sides(std::int64_t height, std::int64_t width) const {
  Sides out;
  out.down = data::convolution_side(height, shape_.kernel, shape_.stride, style_.padding);
  out.across = data::convolution_side(width, shape_.kernel, shape_.stride, style_.padding);
  out.width = std::max(out.across.before + width, Sides::inputs(out.across.outputs, shape_));
  const std::int64_t inputs = kStripValues / (out.width * kPanelChannels);
  out.rows = std::clamp<std::int64_t>((inputs - shape_.kernel) / shape_.stride + 1, 1, out.down.outputs);
  out.strips = (out.down.outputs + out.rows - 1) / out.rows;
  return out;
}

ImageMap InvertedBlock::output(float* data, std::int64_t height, std::int64_t width) const {
  const Sides all = sides(height, width);
  return {data, all.down.outputs, all.across.outputs, shape_.out};
}

InvertedBlock::Needs InvertedBlock::needs(std::int64_t height, std::int64_t width, int threads) const {
  const Sides all = sides(height, width);
  const std::int64_t channels = ImageMap::padded(shape_.wide()),
                     outputs = all.down.outputs * all.across.outputs;
  Needs out;
  out.wide = outputs * channels;
  out.strip = Sides::inputs(all.rows, shape_) * all.width * kPanelChannels;
  out.bytes = project_->product_bytes(outputs, threads);
  if (expand_ && !expand_->has_panels()) {
    out.expanded = height * width * channels;
    out.bytes = std::max(out.bytes, expand_->product_bytes(height * width, threads));
  }
  if (reduce_) {
    constexpr std::int64_t kGates = 3;  // means, reduced values and the gate
    const std::int64_t products =
        std::max(reduce_->product_bytes(1, threads), excite_->product_bytes(1, threads));
    out.bytes = std::max(out.bytes, products) + 4 * channels * (all.strips + kGates);
  }
  return out;
}

// The expanded values of 32 channels, between zeros. source: the input of the block, or its expansion.
void InvertedBlock::fill_strip(const ImageMap& source, const Sides& all, std::int64_t strip,
                               std::int64_t panel, float* to) const {
  const std::int64_t wide = ImageMap::padded(shape_.wide()), first = panel * kPanelChannels,
                     columns = std::min(kPanelChannels, wide - first),
                     top = all.first_row(strip, shape_.stride),
                     rows = Sides::inputs(all.outputs(strip), shape_), row = all.width * columns;
  const std::int64_t begin = std::max<std::int64_t>(0, top), end = std::min(source.height, top + rows);
  const std::int64_t left = all.across.before * columns, right = left + source.width * columns;
  std::fill_n(to, (begin - top) * row, 0.0F);
  std::fill(to + (end - top) * row, to + rows * row, 0.0F);
  for (std::int64_t y = begin - top; y < end - top; ++y) {
    std::fill_n(to + y * row, left, 0.0F);
    std::fill(to + y * row + right, to + (y + 1) * row, 0.0F);
  }
  const auto place = [&](std::int64_t pixel) {
    return to + (pixel / source.width - top) * row + left + pixel % source.width * columns;
  };
  if (!expand_ || !expand_->has_panels()) {
    for (std::int64_t y = begin; y < end; ++y) {
      const std::int64_t pixel = y * source.width;
      kernels::finish_rows(source.pixel(pixel) + first, source.stride, source.width, columns, {}, nullptr, 0,
                           place(pixel), columns);
    }
    return;
  }
  alignas(64) std::array<float, PointwiseLayer::kRows * kPanelChannels> tile;  // NOLINT
  const kernels::Finish finish = expand_->finish(panel);
  for (std::int64_t pixel = begin * source.width; pixel < end * source.width;) {
    const std::int64_t count = std::min(PointwiseLayer::kRows, end * source.width - pixel);
    expand_->panel(source.rows(pixel, count), panel, tile.data());
    for (std::int64_t done = 0; done < count;) {  // up to the ends of the rows of the image
      const std::int64_t some = std::min(count - done, source.width - (pixel + done) % source.width);
      kernels::finish_rows(tile.data() + done * columns, columns, some, columns, finish, nullptr, 0,
                           place(pixel + done), columns);
      done += some;
    }
    pixel += count;
  }
}

// sums: of each channel over the pixels of each strip.
void InvertedBlock::excite(const ImageMap& wide, MatrixView<const float> sums, const Context& context) const {
  Matrix<float> means(1, sums.cols), reduced(1, reduce_->padded_outputs()), gate(1, sums.cols);
  for (std::int64_t s = 0; s < sums.rows; ++s) {
    for (std::int64_t c = 0; c < sums.cols; ++c) means(0, c) += sums(s, c);
  }
  for (float& mean : means.values()) mean /= static_cast<float>(wide.pixels());
  reduce_->multiply({means.data(), 1, wide.channels}, {reduced.data(), 1, shape_.reduced, reduced.cols()},
                    nullptr, context);
  excite_->multiply({reduced.data(), 1, shape_.reduced}, {gate.data(), 1, wide.channels, gate.cols()},
                    nullptr, context);
  context.for_blocks(wide.pixels(), kScaledPixels, [&](std::int64_t begin, std::int64_t end) {
    kernels::finish_rows(wide.pixel(begin), wide.stride, end - begin, wide.stride, {.factor = gate.data()},
                         nullptr, 0, wide.pixel(begin), wide.stride);
  });
}

void InvertedBlock::run(const ImageMap& x, const ImageMap& y, BlockMemory& memory,
                        const Context& context) const {
  const Sides all = sides(x.height, x.width);
  ImageMap source = x;
  if (expand_ && !expand_->has_panels()) {
    source = ImageMap(memory.expanded.data(), x.height, x.width, shape_.wide());
    expand_->multiply(x.rows(), source.rows(), nullptr, context);
  }
  const ImageMap wide(memory.wide.data(), all.down.outputs, all.across.outputs, shape_.wide());
  const std::int64_t panels = (wide.stride + kPanelChannels - 1) / kPanelChannels;
  Matrix<float> sums(reduce_ ? all.strips : 0, wide.stride);
  context.for_blocks(all.strips * panels, 1, [&](std::int64_t task, std::int64_t) {
    const std::int64_t strip = task / panels, panel = task % panels, first = panel * kPanelChannels,
                       columns = std::min(kPanelChannels, wide.stride - first);
    Scratch::Lease memory_of_strip(memory.strips);
    fill_strip(source, all, strip, panel, memory_of_strip.data());
    const kernels::Depthwise layer{shape_.kernel,     shape_.stride,
                                   columns,           depthwise_.data() + first,
                                   depthwise_.cols(), depthwise_bias_.data() + first,
                                   style_.activation};
    for (std::int64_t r = 0; r < all.outputs(strip); ++r) {
      kernels::depthwise_row(layer, memory_of_strip.data() + r * shape_.stride * all.width * columns,
                             all.width * columns, columns, wide.width,
                             wide.pixel((strip * all.rows + r) * wide.width) + first, wide.stride,
                             reduce_ ? sums.row(strip).data() + first : nullptr);
    }
  });
  if (reduce_) excite(wide, sums, context);
  project_->multiply(wide.rows(), y.rows(), shape_.adds_input() ? x.data : nullptr, context);
}

}  // namespace parsimony::run
