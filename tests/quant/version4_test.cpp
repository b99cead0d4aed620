// Compact files of version 4, which came with folded batch norms: every later reader must find these values.
#include <gtest/gtest.h>

#include "parsimony/quant/compact_file.hpp"
#include "places.hpp"
#include "quant/compact_models.hpp"
#include "quant/version3_model.hpp"
#include "temporary_directory.hpp"

namespace parsimony::quant::version4_test {
namespace {

std::filesystem::path committed(bool deflated) {
  return places::source_folder() / "tests/formats/v4" /
         (deflated ? "deflated.safetensors" : "plain.safetensors");
}

// The parts of version 3, and a folded batch norm: all values by formulas.
class Version4Model {
 public:
  Version4Model() {
    add("norm.weight", {0.5f, -2, 3});
    add("norm.bias", {1, 0, -1});
    norms_.add_folded(model_, "norm", 3);
  }
  CompactModel& model() { return model_; }

 private:
  void add(const std::string& name, const std::vector<float>& values) {
    norms_.add_others(model_, {other(name, DType::float32, {std::ssize(values)}, DType::float16)});
    std::list<std::vector<std::uint8_t>>& kept = bytes_;
    kept.push_back(tensor_bytes(values, DType::float32));
    model_.others.back().data = kept.back();
  }

  std::list<std::vector<std::uint8_t>> bytes_;
  RandomModel norms_{1};
  CompactModel model_ = Version3Model().model;
};

TEST(CompactVersion4, FilesHaveTheirValues) {
  for (const bool deflated : {false, true}) {
    verify_compact_file(committed(deflated), Version4Model().model());
    const CompactModel model = read_compact_file(committed(deflated));
    const auto values = [&](const std::string& name) {
      for (const TensorView& tensor : model.others) {
        if (tensor.name == name) return float32_values(tensor);
      }
      return std::vector<float>();
    };
    EXPECT_EQ(values("norm.weight"), (std::vector<float>{0.5f, -2, 3}));
    EXPECT_EQ(values("norm.running_mean"), std::vector<float>(3, 0));
    EXPECT_EQ(values("norm.running_var"), std::vector<float>(3, 1));
  }
}

TEST(CompactVersion4, ThePresentWriterMakesTheSameData) {
  const TemporaryDirectory directory;
  write_compact_file(directory / "new", Version4Model().model());
  const SafetensorsFile before(committed(false)), now(directory / "new");
  EXPECT_EQ(now.tensors().size(), before.tensors().size());
  EXPECT_EQ(now.metadata().at("parsimony.checksum"), before.metadata().at("parsimony.checksum"));
  EXPECT_EQ(now.metadata().at("parsimony.recipe"), before.metadata().at("parsimony.recipe"));
}

// Wrote the committed files once.
TEST(CompactVersion4, DISABLED_WriteFiles) {
  Version4Model made;
  for (const bool deflated : {false, true}) {
    made.model().recipe.deflated = deflated;
    write_compact_file(committed(deflated), made.model());
  }
}

}  // namespace
}  // namespace parsimony::quant::version4_test
