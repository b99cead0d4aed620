// Errors of the recipes that a weight may get, and codes that need not be made again.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "parsimony/quant/compress.hpp"
#include "quant/plan/budget.hpp"

namespace parsimony::quant {

struct Measured {
  std::vector<double> errors;  ///< Σ a (w − ŵ)² of each candidate
  std::vector<MeasuredCodes>
      codes;  ///< codes of each candidate; empty if only a part of the outputs was measured
};

/// Puts a weight into codes by each candidate. A weight above four million values is measured on every n-th
/// output, and its errors are scaled up.
Measured measure(const TensorView& weight, const std::vector<WeightRecipe>& candidates,
                 std::span<const float> importance, const CompressOptions& options, const Context& context);

/// Codes from the measurement, kept until the choice is made. Only candidates on the lower hull can be
/// chosen, so the others are dropped at once. Holds at most kMostKeptBytes; codes that do not fit are
/// dropped.
class KeptCodes {
 public:
  static constexpr std::int64_t kMostKeptBytes = std::int64_t{512} << 20;

  /// codes: those of the next weight, one per candidate, or none at all.
  void add(std::vector<MeasuredCodes> codes, const Choices& hull);
  /// The codes of a candidate of weight w, if they were kept.
  std::optional<MeasuredCodes> take(std::size_t w, std::size_t candidate);

 private:
  struct Kept {
    std::size_t candidate;
    MeasuredCodes codes;
  };
  std::vector<std::vector<Kept>> weights_;
  std::int64_t bytes_ = 0;
};

}  // namespace parsimony::quant
