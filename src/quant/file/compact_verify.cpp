#include "quant/file/compact_verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>

#include "parsimony/core/error.hpp"

namespace parsimony::quant {
namespace {

// Compares bits, so that −0 and 0 differ.
bool same_floats(std::span<const float> a, std::span<const float> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](float x, float y) {
    return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
  });
}

bool same_codebook(const Codebook* a, const Codebook* b) {
  if (a == b) return true;
  // The file stores the level 0 without the sign that a rounded centroid may have.
  const auto value = [](const Codebook& codebook, std::int64_t i) {
    return codebook.type == CodebookType::int8 ? codebook.centroids.values()[i] + 0.0f
                                               : codebook.centroids.values()[i];
  };
  if (a == nullptr || b == nullptr || a->type != b->type || a->centroids.rows() != b->centroids.rows() ||
      a->centroids.cols() != b->centroids.cols() ||
      (a->type == CodebookType::int8 && a->scales != b->scales)) {
    return false;
  }
  for (std::int64_t i = 0; i < a->centroids.size(); ++i) {
    const float x = value(*a, i), y = value(*b, i);
    if (!same_floats({&x, 1}, {&y, 1})) return false;
  }
  return true;
}

bool same_weight(const QuantizedTensor& a, const QuantizedTensor& b) {
  return a.shape == b.shape && a.scheme == b.scheme && a.bits == b.bits && a.packed == b.packed &&
         same_floats(a.scale, b.scale) && a.zero_point == b.zero_point && a.group == b.group &&
         same_floats(a.levels, b.levels) && a.axes == b.axes &&
         (a.scheme == Scheme::integer || a.layout == b.layout) &&  // integers have no layout
         a.channel_permutation == b.channel_permutation && same_codebook(a.codebook.get(), b.codebook.get());
}

bool same_values(const TensorView& model, const TensorView& file) {
  if (model.shape != file.shape) return false;
  if (model.dtype == file.dtype) {
    return std::equal(model.data.begin(), model.data.end(), file.data.begin(), file.data.end());
  }
  const std::vector<std::uint8_t> bytes = tensor_bytes(float32_values(model), file.dtype);
  return std::equal(bytes.begin(), bytes.end(), file.data.begin(), file.data.end());
}

}  // namespace

void verify_compact_file(const std::filesystem::path& path, const CompactModel& model) {
  verify_against(read_compact_file(path), model, path.string());
}

void verify_against(const CompactModel& read, const CompactModel& model, const std::string& file) {
  const auto fail = [&](const std::string& name) {
    throw Error(ErrorCode::io,
                fmt::format("{}: read back, {} differs from the values that were written", file, name));
  };
  std::map<std::string_view, const QuantizedTensor*> weights;
  for (std::size_t i = 0; i < read.weights.size(); ++i) {
    weights.emplace(read.recipe.weights[i].name, &read.weights[i]);
  }
  std::map<std::string_view, const TensorView*> others;
  for (const TensorView& other : read.others) others.emplace(other.name, &other);
  if (read.recipe.weights.size() != model.recipe.weights.size() || others.size() != model.others.size()) {
    fail("the list of tensors");
  }
  for (std::size_t i = 0; i < model.weights.size(); ++i) {
    const std::string& name = model.recipe.weights[i].name;
    const auto found = weights.find(name);
    if (found == weights.end() || !same_weight(model.weights[i], *found->second)) {
      fail("tensor " + quoted_name(name));
    }
  }
  for (const TensorView& other : model.others) {
    const auto found = others.find(other.name);
    if (found == others.end() || !same_values(other, *found->second)) {
      fail("tensor " + quoted_name(other.name));
    }
  }
  if (read.recipe.aliases != model.recipe.aliases) fail("the list of tied weights");
}

}  // namespace parsimony::quant
