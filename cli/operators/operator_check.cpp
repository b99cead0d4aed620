// parsimony operator check: tests whether an analysis operator can be trusted on these signals.
#include <cstdlib>
#include <memory>

#include "operators/show_certificate.hpp"
#include "operators/training_data.hpp"
#include "parsimony/operators/certify.hpp"
#include "parsimony/operators/operator_file.hpp"
#include "support/exit_code.hpp"
#include "support/files.hpp"
#include "support/flags.hpp"
#include "support/run_flags.hpp"
#include "support/run_page.hpp"
#include "verbs.hpp"

namespace parsimony::cli {
namespace {

constexpr const char* kCheckExamples = R"(Examples:
  parsimony operator check operator.npy --data signals.npy
  parsimony operator check operator.npy --data signals.npy --zero-tolerance 1e-4 --exact --json
  parsimony operator check operator.npy --data noisy.npy --noise-aware --lambda 20
  parsimony operator check rows.npy --data images/*.png --zero-tolerance 0.01

Verdicts: certified (near a local optimum of the sum of |coefficients| among the unit-norm tight frames),
refuted (a direction lowers it), undecided. With --noise-aware the data are noisy: the command denoises them
with the operator and tests both together, with (lambda / 2) |noisy - signals|^2 in the sum. Use the lambda
that operator learn --noise-aware reports. Exit status 0: certified or refuted; 3: undecided.)";

struct CheckSettings {
  std::string path;
  std::vector<std::string> data;
  operators::CertifyOptions options;
  RunSettings run;
};

int run_check(const CheckSettings& settings, Terminal& terminal) {
  const auto path = input_path(settings.path);
  check_readable(path);
  // The solver of the exact test brings OpenBLAS, whose threads it does not use.
  if (settings.options.exact) ::setenv("OPENBLAS_NUM_THREADS", "1", 0);
  const Context context = start(terminal, settings.run);
  const Matrix<double> tested = operators::read_operator(path, context.memory_left());
  const operators::CertifyResult found = with_data(
      settings.data, settings.options.data, context,
      [&](const auto& data) { return operators::certify(tested, data, settings.options, context); });
  const std::string json = found.pair ? pair_json(settings.path, *found.pair)
                                      : certificate_json(settings.path, tested, *found.clean);
  OutputSet outputs;
  write_page(settings.run.page, json, {}, terminal, context, outputs);
  if (settings.run.json) {
    print(json);
  } else {
    print(found.pair ? pair_text(*found.pair) : certificate_text(tested, *found.clean));
  }
  outputs.commit();
  return found.verdict == operators::Verdict::undecided ? kNotConverged : kDone;
}

}  // namespace

Action add_operator_check(CLI::App& app) {
  const auto settings = std::make_shared<CheckSettings>();
  app.footer(kCheckExamples);
  app.add_option("OPERATOR", settings->path, "the operator: a .npy array of its rows")
      ->required()
      ->type_name("");
  add_data_flags(app, settings->data, settings->options.data, "--data");
  describe(settings->options, Flags(app, "Certificate"));
  add_json_flag(app, settings->run.json);
  add_page_flag(app, settings->run.page);
  add_run_flags(app, settings->run);
  return [settings](Terminal& terminal) {
    auto inputs = check_data(settings->data, settings->options.data);
    inputs.emplace_back(settings->path);
    check_page(settings->run.page, inputs);
    return run_check(*settings, terminal);
  };
}

}  // namespace parsimony::cli
