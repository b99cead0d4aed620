// The functions of noise, each in the layouts of blocks that it knows.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "parsimony/train/noise.hpp"

namespace parsimony::train {

struct NoiseCase {
  NoiseFunction function;
  quant::BlockLayout layout = quant::BlockLayout::row;
};

inline auto noise_cases() {
  using quant::BlockLayout;
  return testing::Values(NoiseCase{NoiseFunction::proxy}, NoiseCase{NoiseFunction::mean},
                         NoiseCase{NoiseFunction::integer}, NoiseCase{NoiseFunction::product},
                         NoiseCase{NoiseFunction::proxy, BlockLayout::input_channels},
                         NoiseCase{NoiseFunction::mean, BlockLayout::input_channels},
                         NoiseCase{NoiseFunction::product, BlockLayout::input_channels});
}

inline std::string noise_case_name(const testing::TestParamInfo<NoiseCase>& instance) {
  return std::string(enum_name(instance.param.function)) +
         (instance.param.layout == quant::BlockLayout::row ? "" : "_channels");
}

}  // namespace parsimony::train
