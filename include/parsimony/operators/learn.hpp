// Learns an analysis operator in one call, from signals or from images.
#pragma once

#include <cstdint>
#include <span>

#include "parsimony/core/context.hpp"
#include "parsimony/core/image.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/operators/geometric_learning.hpp"
#include "parsimony/operators/learned_operator.hpp"
#include "parsimony/operators/patches.hpp"
#include "parsimony/operators/untf_learning.hpp"

namespace parsimony::operators {

enum class LearnMethod {
  geometric,  ///< rows of unit norm, a concave penalty (learn_geometric)
  untf        ///< unit-norm tight frames, the l1 norm (learn_untf); the only one that is noise-aware
};

constexpr auto names_of(LearnMethod) {
  using enum LearnMethod;
  return enum_names<LearnMethod>({{geometric, "geometric"}, {untf, "untf"}});
}

struct LearnOptions {
  /// geometric recovers more rows and is the better choice for images; untf is for operators that must be
  /// tight frames, whose optimality certify() can then prove.
  LearnMethod method = LearnMethod::geometric;
  /// Rows of the operator. auto (0): those of `initial` of the method where it is given, else twice the
  /// number of values of a signal. More rows make signals sparser to describe and take longer.
  std::int64_t rows = 0;
  /// Make every row orthogonal to constant signals. Always so for images, whose brightness says nothing about
  /// their structure.
  bool zero_mean = false;
  std::uint64_t seed = 0;
  SampleOptions data;
  /// Options of the two methods; their rows, zero_mean and seed are set from the fields above.
  GeometricLearningOptions geometric;
  UntfLearningOptions untf;
};

/// Visits the fields that belong to no part; data, geometric and untf have a describe of their own.
template <OptionsOf<LearnOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"method", "geometric: unit rows, concave penalty; untf: unit-norm tight frames, l1 norm"},
        options.method);
  visit(Field{.name = "rows",
              .help = "rows of the operator; auto: twice the values of a signal",
              .low = 1,
              .high = 1 << 20,
              .word = "auto"},
        options.rows);
  visit(Field{"zero_mean", "rows orthogonal to constant signals; always for images"}, options.zero_mean);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

/// The options with their auto values replaced by those for patches of images: nu 5000, kappa 60, mu 2, one
/// stage, and batches of 2048 patches unless an option of L-BFGS (max_iterations, memory, tolerance) is not
/// at its default. Chosen on photographs (experiments/operator_recovery).
GeometricLearningOptions suited_to_patches(GeometricLearningOptions options);

/// signals: samples × n float32, a signal a row. Draws options.data.samples of them and learns by the chosen
/// method. A report of status iteration_limit means that a limit of the method was met.
///
/// Time and memory: those of learn_geometric or learn_untf. The same bytes for any number of threads.
///
/// Throws invalid_argument (options out of range; fewer than n rows, or n − 1 with zero_mean; more rows than
/// signals; noise_aware with geometric; data.patch or data.min_deviation, which are for images; values that
/// are not finite; constant signals), memory_limit and cancelled.
LearnedOperator learn_operator(MatrixView<const float> signals, const LearnOptions& options = {},
                               const Context& context = Context{});

/// Learns from patches of images, each without its mean and of norm 1; colour images by their luminance. Rows
/// have no mean, and auto values are those of suited_to_patches. Throws the same, and what random_patches
/// throws.
LearnedOperator learn_operator(std::span<const Image> images, const LearnOptions& options = {},
                               const Context& context = Context{});

}  // namespace parsimony::operators
