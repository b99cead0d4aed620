// The memory that is planned before a run, beside the peak of the run.
#include <gtest/gtest.h>

#include "parsimony/quant/compress.hpp"
#include "parsimony/run/image_network.hpp"
#include "parsimony/run/session.hpp"
#include "reference_weights.hpp"
#include "resident_memory.hpp"
#include "small_efficientnet.hpp"
#include "temporary_directory.hpp"

namespace parsimony::run::planned_memory_test {
namespace {

constexpr std::int64_t kBesides = std::int64_t{2}
                                  << 20;  // stacks of threads and what the allocator rounds up

// Bytes by which body() raises the resident memory of the process at most; −1 where that cannot be told.
template <class Body>
std::int64_t growth(const Body& body) {
  if (!testing::restart_peak()) return -1;
  const std::int64_t before = testing::resident("VmRSS");
  body();
  return testing::resident("VmHWM") - before;
}

void compress_to(const std::filesystem::path& from, const std::filesystem::path& to, const char* scheme) {
  quant::compress(SafetensorsFile(from), to, {.scheme = scheme});
}

TEST(PlannedMemory, OfPicturesHolds) {
  const TemporaryDirectory directory;
  write_efficientnet(directory / "m.safetensors", data::EfficientNetVariant::b0, 5);
  compress_to(directory / "m.safetensors", directory / "c.safetensors", "int8");
  for (const char* file : {"m.safetensors", "c.safetensors"}) {
    for (const auto precision : {Precision::integers8, Precision::exact}) {
      const ImageNetwork network = load_image_network(directory / file, {.precision = precision});
      constexpr std::int64_t kSide = 384;
      const Matrix<float> image(1, 3 * kSide * kSide);
      const Context context(2);
      network.classify(Matrix<float>(1, std::int64_t{3} * 32 * 32), 32, 32,
                       context);  // reads the mapped file
      const std::int64_t planned = network.planned_bytes(kSide, kSide, 2);
      const std::int64_t used = growth([&] { network.classify(image, kSide, kSide, context); });
      EXPECT_LE(used, planned + kBesides) << file;
      EXPECT_LE(planned, std::int64_t{400} << 20) << file;
    }
  }
}

TEST(PlannedMemory, OfTextsHolds) {
  const TemporaryDirectory directory;
  const SmallSizes sizes{.width = 384, .heads = 4, .feed_forward = 1536, .positions = 600};
  write_small_network(directory / "m", sizes, "", false);
  for (const char* scheme : {"int8", "pq4", "levels4"}) {
    compress_to(directory / "m" / "model.safetensors", directory / "m" / "c.safetensors", scheme);
    for (const auto precision : {Precision::integers8, Precision::exact}) {
      const Context context(2);
      Session session(load(directory / "m" / "c.safetensors", {.precision = precision}));
      const data::EncodedText text{std::vector<std::int32_t>(512, 7), {}};
      Matrix<float> states;
      const std::int64_t used = growth([&] { states = session.hidden_states(std::span(&text, 1), context); });
      EXPECT_LE(used, session.planned_bytes(512, 512, 2) + 4 * states.size() + kBesides) << scheme;
    }
  }
}

// The limit is checked against the plan, before anything is computed.
TEST(PlannedMemory, IsRefusedWhereItDoesNotFit) {
  const TemporaryDirectory directory;
  write_efficientnet(directory / "m.safetensors", data::EfficientNetVariant::lite0, 5);
  const ImageNetwork network = load_image_network(directory / "m.safetensors");
  Context context(1);
  context.memory.bytes = memory_in_use() + network.planned_bytes(1024, 1024, 1) / 2;
  const Matrix<float> image(1, std::int64_t{3} * 1024 * 1024);
  EXPECT_THROW(network.classify(image, 1024, 1024, context), Error);
}

}  // namespace
}  // namespace parsimony::run::planned_memory_test
