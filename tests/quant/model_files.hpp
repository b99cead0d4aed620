// Safetensors files of a few tensors.
#pragma once

#include <gtest/gtest.h>

#include <list>
#include <string>
#include <vector>

#include "parsimony/core/random.hpp"
#include "parsimony/core/safetensors.hpp"
#include "temporary_directory.hpp"

namespace parsimony::quant {

class ModelFiles : public ::testing::Test {
 protected:
  TensorView normal(const std::string& name, std::vector<std::int64_t> shape, float scale = 0.05f,
                    DType dtype = DType::float32) {
    TensorView view{{name, dtype, std::move(shape)}, {}};
    std::vector<float> values(static_cast<std::size_t>(view.values()));
    RandomStream(1, name).fill_normal(values, 0, scale);
    buffers_.push_back(tensor_bytes(values, dtype));
    view.data = buffers_.back();
    return view;
  }
  TensorView floats(const std::string& name, std::vector<std::int64_t> shape,
                    const std::vector<float>& values) {
    buffers_.push_back(tensor_bytes(values, DType::float32));
    return {{name, DType::float32, std::move(shape)}, buffers_.back()};
  }
  SafetensorsFile file(const std::vector<TensorView>& tensors,
                       const std::string& name = "m.safetensors") const {
    write_safetensors(directory_ / name, tensors);
    return SafetensorsFile(directory_ / name);
  }

  TemporaryDirectory directory_;
  std::list<std::vector<std::uint8_t>> buffers_;  // bytes of the views
};

}  // namespace parsimony::quant
