// Tests in one call whether an analysis operator is a local optimum of learning, on clean or noisy signals.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "parsimony/core/context.hpp"
#include "parsimony/core/image.hpp"
#include "parsimony/core/matrix.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/operators/certificate.hpp"
#include "parsimony/operators/pair_certificate.hpp"
#include "parsimony/operators/patches.hpp"

namespace parsimony::operators {

struct CertifyOptions {
  /// Relative size of a coefficient up to which it counts as zero. auto (−1): 1e-6 for clean signals, 1e-4
  /// for noisy ones. Raise it to 1e-3 for operators that were learned to four digits.
  double zero_tolerance = -1;
  double frame_tolerance = CertificateOptions{}.frame_tolerance;  ///< as in CertificateOptions
  bool project = false;                                           ///< clean signals only, as there
  int max_iterations = CertificateOptions{}.max_iterations;       ///< clean signals only, as there
  bool exact = false;                                             ///< as in CertificateOptions
  /// The signals are noisy: test the pair of the operator and the signals that it makes of them. Needs
  /// lambda.
  bool noise_aware = false;
  /// Weight of the fidelity, in 1 / unit of the signals: the one that noise-aware learning reports. 0: none.
  double lambda = 0;
  SampleOptions data;  ///< patch: as large as the rows unless it is given
};

template <OptionsOf<CertifyOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{.name = "zero_tolerance",
              .help = "relative size up to which a coefficient is zero; auto: 1e-6, noise-aware 1e-4",
              .low = 0,
              .high = 0.5,
              .word = "auto",
              .word_value = -1},
        options.zero_tolerance);
  visit(Field{"frame_tolerance", "distance from a UNTF up to which the operator is one", 0, 0.1},
        options.frame_tolerance);
  visit(Field{"project", "test the nearest UNTF, however far it is"}, options.project);
  visit(Field{"max_iterations", "steps of the search for a certificate", 0, 1e6}, options.max_iterations);
  visit(Field{"exact", "solve the linear program that decides, for small problems"}, options.exact);
  visit(Field{"noise_aware", "the signals are noisy: test the operator with the signals it makes of them"},
        options.noise_aware);
  visit(Field{.name = "lambda",
              .help = "noise-aware: weight of the fidelity, in 1 / unit of the signals",
              .low = 1e-300,
              .high = 1e300,
              .word = "none"},
        options.lambda);
}

struct CertifyResult {
  Verdict verdict = Verdict::undecided;
  std::string explanation;                   ///< the verdict as a sentence
  std::optional<OperatorCertificate> clean;  ///< the whole test, of clean signals
  std::optional<PairCertificate> pair;       ///< the whole test, where noise_aware
  const Report& report() const { return pair ? pair->report : clean->report; }
};

/// analysis_operator: a × n. signals: samples × n, a signal a row. Clean signals are tested by
/// certify_operator. With noise_aware the signals are first denoised by douglas_rachford, 20000 iterations to
/// a gap of 1e-9, so that zeros are told from small values, and the pair is tested by certify_pair.
///
/// Time and memory: those of these functions. The same bytes for any number of threads.
///
/// Throws invalid_argument (options out of range; noise_aware without lambda or lambda without noise_aware;
/// project or max_iterations with noise_aware; data.patch or data.min_deviation, which are for images; and as
/// those functions do), unsupported (exact, in a build without a solver) and cancelled.
CertifyResult certify(MatrixView<const double> analysis_operator, MatrixView<const float> signals,
                      const CertifyOptions& options = {}, const Context& context = Context{});

/// Tests on patches of images, as large as the rows of the operator; they are drawn with the seed 0. Throws
/// the same, and invalid_argument when the rows are not square patches or options.data.patch is another side.
CertifyResult certify(MatrixView<const double> analysis_operator, std::span<const Image> images,
                      const CertifyOptions& options = {}, const Context& context = Context{});

}  // namespace parsimony::operators
