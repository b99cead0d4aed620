// Images of bytes become the inputs of a network.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <span>

#include "parsimony/data/labelled_images.hpp"
#include "parsimony/models/image_network.hpp"

namespace parsimony::models {

using Colors = data::ImageColors;
Colors colors_of(Normalization normalization, ImageNetwork network);

struct ImageMove {
  std::int64_t down = 0, right = 0;
  bool flip = false;
};

/// Moves, mirrors and normalizes one image; pixels outside of it are black.
void write_image(const data::LabelledImages& images, std::int64_t i, const ImageMove& move,
                 const Colors& colors, float* out);

/// Images begin to begin + count − 1, normalized.
torch::Tensor image_inputs(const data::LabelledImages& images, std::int64_t begin, std::int64_t count,
                           const Colors& colors);

/// A row of a matrix of float32, contiguous on the CPU.
inline std::span<const float> row_of(const torch::Tensor& matrix, std::int64_t row) {
  const auto columns = matrix.size(1);
  return {matrix.data_ptr<float>() + row * columns, static_cast<std::size_t>(columns)};
}

/// Images that a forward pass takes at once, so that its memory stays below about a gigabyte.
std::int64_t images_at_once(std::int64_t height, std::int64_t width);

}  // namespace parsimony::models
