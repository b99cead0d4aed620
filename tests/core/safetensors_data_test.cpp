// Networks that others published.
#include <gtest/gtest.h>

#include "parsimony/core/safetensors.hpp"
#include "places.hpp"
#include "temporary_directory.hpp"

namespace parsimony::safetensors_data_test {
namespace {

std::vector<std::uint8_t> copy_of(const TensorView& tensor) {
  return {tensor.data.begin(), tensor.data.end()};
}

TEST(SafetensorsData, PublishedNetworksAreRead) {
  const std::filesystem::path folder = places::data_folder() / "networks";
  for (const std::string name : {"resnet20-cifar10", "resnet44-cifar10", "resnet56-cifar10"}) {
    const auto path = folder / (name + ".safetensors");
    if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
    const SafetensorsFile file(path);
    const TensorView& first = file.at("conv1.weight");
    EXPECT_EQ(first.shape, (std::vector<std::int64_t>{16, 3, 3, 3}));
    // Written again by the same rules it has the same size, and the same values.
    const TemporaryDirectory directory;
    write_safetensors(directory / "copy", file.tensors(), file.metadata());
    const SafetensorsFile copy(directory / "copy");
    ASSERT_EQ(copy.tensors().size(), file.tensors().size());
    for (const TensorView& tensor : file.tensors()) {
      EXPECT_EQ(copy_of(copy.at(tensor.name)), copy_of(tensor)) << tensor.name;
      if (!has_float32_values(tensor.dtype)) continue;
      for (const float value : float32_values(tensor)) ASSERT_TRUE(std::isfinite(value)) << tensor.name;
    }
    EXPECT_EQ(copy.metadata(), file.metadata());
  }
}

}  // namespace
}  // namespace parsimony::safetensors_data_test
