// parsimony operator check: can an analysis operator be trusted on these signals.
#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "operators/show_certificate.hpp"
#include "operators/training_data.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/operators/certificate.hpp"
#include "parsimony/operators/douglas_rachford.hpp"
#include "parsimony/operators/operator_file.hpp"
#include "parsimony/operators/pair_certificate.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kExamples = R"(Examples:
  parsimony operator check operator.npy --data signals.npy
  parsimony operator check operator.npy --data signals.npy --zero-tolerance 1e-4 --exact --json
  parsimony operator check operator.npy --data noisy.npy --noise-aware --lambda 20
  parsimony operator check atoms.npy --data images/*.png --zero-tolerance 0.01

Verdicts: certified (near a local optimum of the sum of |coefficients| among the unit-norm tight frames),
refuted (a direction lowers it), undecided. With --noise-aware the data are noisy, and the pair of the operator
and the signals that it makes of them is tested, with (lambda / 2) |noisy - signals|^2 in the sum; take the
lambda that operator learn --noise-aware reports. Status 0: certified or refuted; 3: undecided.)";

struct Settings {
  std::string op;
  TrainingData data;
  operators::CertificateOptions options;
  bool noise_aware = false;
  double lambda = 1;
  double zero_tolerance = operators::PairOptions{}.zero_tolerance;  // of a pair
  std::int64_t max_memory = 0;
  int threads = 0;
  bool json = false;
  bool quiet = false;
};

// Of the noisy data by the operator, to a gap that leaves the zeros no doubt; what remains is settled by the
// test.
operators::PairCertificate test_pair(const Settings& settings, const Matrix<double>& omega,
                                     const Matrix<float>& noisy, const Context& context) {
  const operators::CosparseSignals denoised = operators::douglas_rachford(
      omega, noisy, {.lambda = settings.lambda, .max_iterations = 20000, .tolerance = 1e-9}, context);
  operators::PairCertificate out =
      operators::certify_pair(omega, noisy, denoised.signals,
                              {.lambda = settings.lambda,
                               .zero_tolerance = settings.zero_tolerance,
                               .frame_tolerance = settings.options.frame_tolerance,
                               .exact = settings.options.exact},
                              context);
  add_before(out.report, denoised.report);
  return out;
}

// An array, or patches as large as the rows.
Matrix<float> read_signals(const Settings& settings, const Matrix<double>& omega, const Context& context) {
  TrainingData data = settings.data;
  if (are_images(data)) {
    const auto side = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(omega.cols()))));
    if (side * side != omega.cols() || (data.side > 0 && data.side != side)) {
      refuse(
          fmt::format("--data: images, but the rows of {} have {} values and are no patches of {} "
                      "pixels",
                      settings.op, omega.cols(),
                      data.side > 0 ? fmt::format("{0} × {0}", data.side) : "as many by as many"));
    }
    data.side = side;
  }
  return read_training_data(data, settings.max_memory, 0, context);
}

int status_of(operators::Verdict verdict) {
  return verdict == operators::Verdict::undecided ? kNotConverged : kDone;
}

int run(const Settings& settings, Terminal& terminal) {
  const auto op = input_path(settings.op);
  check_readable(op);
  if (settings.quiet) terminal.be_quiet();
  const Context context = terminal.context(settings.threads);

  const Matrix<double> omega = operators::read_operator(op, settings.max_memory);
  const Matrix<float> signals = read_signals(settings, omega, context);
  if (settings.noise_aware) {
    const operators::PairCertificate pair = test_pair(settings, omega, signals, context);
    print(settings.json ? pair_json(settings.op, pair) : pair_text(pair));
    return status_of(pair.verdict);
  }
  const operators::OperatorCertificate found =
      operators::certify_operator(omega, signals, settings.options, context);
  print(settings.json ? certificate_json(settings.op, omega, found) : certificate_text(omega, found));
  return status_of(found.verdict);
}

// What belongs to one of the two tests alone.
void check_flags(const CLI::App& app, Settings& settings) {
  if (!settings.noise_aware) {
    if (app.count("--lambda") > 0) refuse("--lambda: is the weight of --noise-aware, which was not given");
    return;
  }
  if (app.count("--lambda") == 0) {
    refuse("--noise-aware: needs --lambda, the one that operator learn --noise-aware reports");
  }
  for (const char* flag : {"--project", "--max-iterations"}) {
    if (app.count(flag) > 0) {
      refuse(fmt::format("{}: has no meaning with --noise-aware", flag));
    }
  }
  if (app.count("--zero-tolerance") > 0) settings.zero_tolerance = settings.options.zero_tolerance;
}

}  // namespace

Action add_operator_check(CLI::App& app) {
  const auto settings = std::make_shared<Settings>();
  app.footer(kExamples);
  app.add_option("OPERATOR", settings->op, "the operator: .npy, an atom a row")->required()->type_name("");
  add_data_flags(app, settings->data, "--data");
  describe(settings->options, Flags(app, "Certificate"));
  const Flags noise(app, "Noise");
  noise(Field{"noise_aware", "the data are noisy: test the operator with the signals it makes of them"},
        settings->noise_aware);
  noise(Field{"lambda", "weight of the fidelity, in 1 / unit of the signals", 1e-300, 1e300},
        settings->lambda);
  app.add_flag("--json", settings->json, "print the report as JSON")->group("Output");
  Flags(app, "Run")
      .word("max_memory", "unlimited", 0)(Field{"max_memory", "bytes a file may have; 0: no limit", 0, 9e18},
                                          settings->max_memory);
  add_run_flags(app, settings->threads, settings->quiet);
  return [settings, &app](Terminal& terminal) {
    check_flags(app, *settings);
    check_data(app, settings->data);
    return run(*settings, terminal);
  };
}

}  // namespace parsimony::cli
