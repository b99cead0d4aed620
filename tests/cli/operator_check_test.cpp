// parsimony operator check on good operators, bad ones, and files that are neither.
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "parsimony/core/image.hpp"
#include "parsimony/core/npy.hpp"
#include "parsimony/operators/certificate.hpp"
#include "parsimony/operators/frames.hpp"
#include "parsimony/operators/operator_file.hpp"
#include "parsimony/operators/signals.hpp"

namespace parsimony::cli {
namespace {

using Json = nlohmann::json;

class OperatorCheck : public Command {
 protected:
  OperatorCheck() : omega_(operators::random_untf(12, 8, 1)) {
    operators::write_operator(path("op.npy"), omega_);
    signals_ = operators::cosparse_signals(omega_, {.samples = 200, .cosparsity = 5, .seed = 2});
    write_npy(path("x.npy"), signals_);
  }
  Outcome check(const std::string& op, const std::string& data, std::vector<std::string> flags = {}) const {
    flags.insert(flags.begin(), {"operator", "check", op, "--data", data});
    return run(flags);
  }

  Matrix<double> omega_;
  Matrix<float> signals_;
};

TEST_F(OperatorCheck, CertifiesThePlantedOperator) {
  const Outcome text = check(path("op.npy"), path("x.npy"));
  ASSERT_EQ(text.code, 0) << text.err;
  EXPECT_EQ(text.err, "");
  for (const char* part : {"operator          12 x 8", "zeros a signal    5.00 in the mean, median 5, 5 to 5",
                           "tangent space     49 dimensions", "\nCertified: a local optimum lies within "}) {
    EXPECT_NE(text.out.find(part), std::string::npos) << part << " in\n" << text.out;
  }
  const Outcome json = check(path("op.npy"), path("x.npy"), {"--json", "--threads", "2"});
  ASSERT_EQ(json.code, 0) << json.err;
  const Json root = Json::parse(json.out);
  EXPECT_EQ(root["certificate"]["verdict"], "certified");
  EXPECT_EQ(root["profile"]["signals_with_zeros"][5], 200);
  EXPECT_NEAR(root["operator"]["frame_bounds"][0].get<double>(), 1, 1e-9);
  EXPECT_NEAR(root["operator"]["row_norms"][1].get<double>(), std::sqrt(8.0 / 12), 1e-9);
  const auto direct = operators::certify_operator(omega_, signals_);
  EXPECT_DOUBLE_EQ(root["certificate"]["multiplier"].get<double>(), direct.multiplier);
  EXPECT_NE(text.out.find(direct.explanation), std::string::npos);
}

TEST_F(OperatorCheck, RefutesAnother) {
  operators::write_operator(path("other.npy"), operators::random_untf(12, 8, 9));
  const Outcome text = check(path("other.npy"), path("x.npy"));
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_NE(text.out.find("\nNot a local optimum: "), std::string::npos) << text.out;
}

TEST_F(OperatorCheck, SaysWhatIsNoFrame) {
  Matrix<double> uneven = omega_;
  for (double& value : uneven.row(3)) value *= 2;
  operators::write_operator(path("uneven.npy"), uneven);
  const Outcome text = check(path("uneven.npy"), path("x.npy"));
  EXPECT_EQ(text.code, 3) << text.err;
  EXPECT_NE(text.out.find("zeros a signal    5.00"), std::string::npos)
      << "the profile is there all the same";
  EXPECT_NE(text.out.find("\nNo verdict: the operator is not a unit-norm tight frame"), std::string::npos)
      << text.out;
  const Json root = Json::parse(check(path("uneven.npy"), path("x.npy"), {"--json"}).out);
  EXPECT_EQ(root["certificate"]["verdict"], "undecided");
  EXPECT_TRUE(root["certificate"]["multiplier"].is_null());
  const Outcome projected = check(path("uneven.npy"), path("x.npy"), {"--project"});
  EXPECT_NE(projected.out.find("Not a local optimum"), std::string::npos) << projected.out;
}

TEST_F(OperatorCheck, SolvesTheLinearProgramWhereItCan) {
  const Outcome exact = check(path("op.npy"), path("x.npy"), {"--exact"});
  if (exact.code == 1) {
    expect_one_error(exact, 1, {"the exact test needs a linear program", "coinor-libclp-dev"});
    return;
  }
  ASSERT_EQ(exact.code, 0) << exact.err;
  EXPECT_NE(exact.out.find("by the linear program"), std::string::npos) << exact.out;
}

TEST_F(OperatorCheck, TestsThePairOfNoisyData) {
  write_npy(path("noisy.npy"), operators::with_noise(signals_, 20, 3));
  const Outcome text = check(path("op.npy"), path("noisy.npy"), {"--noise-aware", "--lambda", "50"});
  ASSERT_EQ(text.code, 0) << text.err;
  // The planted operator is near an optimum of noisy data, and not at one.
  EXPECT_NE(text.out.find("\nNot a local optimum: a step of the operator"), std::string::npos) << text.out;
  const Outcome json =
      check(path("op.npy"), path("noisy.npy"), {"--noise-aware", "--lambda", "50", "--json"});
  const Json root = Json::parse(json.out);
  EXPECT_EQ(root["certificate"]["verdict"], "refuted");
  EXPECT_LE(root["certificate"]["multiplier"].get<double>(), 1);
  EXPECT_GT(root["certificate"]["decrease"].get<double>(), 0);
  expect_one_error(check(path("op.npy"), path("noisy.npy"), {"--noise-aware", "--lambda", "0"}), 2,
                   {"--lambda"});
  Matrix<double> uneven = omega_;
  for (double& value : uneven.row(3)) value *= 2;
  operators::write_operator(path("uneven.npy"), uneven);
  const std::vector<std::string> noisy{"--noise-aware", "--lambda", "50"};
  expect_one_error(check(path("uneven.npy"), path("noisy.npy"), noisy), 1, {"off a unit-norm tight frame"});
}

TEST_F(OperatorCheck, TakesTheFlagsOfOneTestForThatTestAlone) {
  const std::string op = path("op.npy"), x = path("x.npy");
  expect_one_error(check(op, x, {"--lambda", "3"}), 2, {"--lambda", "--noise-aware"});
  expect_one_error(check(op, x, {"--noise-aware"}), 2, {"--noise-aware: needs --lambda"});
  expect_one_error(check(op, x, {"--noise-aware", "--lambda", "3", "--project"}), 2, {"--project"});
  expect_one_error(check(op, x, {"--noise-aware", "--lambda", "3", "--max-iterations", "9"}), 2,
                   {"--max-iterations"});
  const Outcome nothing = check(op, x, {"--noise-aware", "--lambda", "1e-9"});
  EXPECT_EQ(nothing.code, 3) << nothing.err;
  EXPECT_NE(nothing.out.find("lambda is so small"), std::string::npos) << nothing.out;
}

TEST_F(OperatorCheck, TakesZeroMeanOperatorsOfOneRowLess) {
  Matrix<double> differences(7, 8);  // an orthonormal basis of the vectors without a mean
  for (std::int64_t i = 0; i < 7; ++i) {
    const double length = std::sqrt(static_cast<double>((i + 1) * (i + 2)));
    for (std::int64_t c = 0; c <= i; ++c) differences(i, c) = 1 / length;
    differences(i, i + 1) = -static_cast<double>(i + 1) / length;
  }
  operators::write_operator(path("differences.npy"), differences);
  const Outcome text = check(path("differences.npy"), path("x.npy"));
  EXPECT_NE(text.out.find("rows span         7 dimensions"), std::string::npos) << text.out << text.err;
}

// Rows of zero mean see 8 of 9 dimensions, and the verdict is the one within these.
TEST_F(OperatorCheck, TakesTheVerdictOfZeroMeanOperatorsFromWhatTheySee) {
  const Matrix<double> basis = operators::zero_mean_basis(9);
  const auto lifted = [&](const Matrix<float>& signals) {
    Matrix<float> out(signals.rows(), 9);
    for (std::int64_t s = 0; s < signals.rows(); ++s) {
      for (std::int64_t c = 0; c < 9; ++c) {
        double value = 5;  // a mean that no row sees
        for (std::int64_t k = 0; k < 8; ++k) value += basis(c, k) * signals(s, k);
        out(s, c) = static_cast<float>(value);
      }
    }
    return out;
  };
  operators::write_operator(path("lifted.npy"), operators::from_complement(omega_, basis));
  const Matrix<float> noisy = operators::with_noise(signals_, 20, 3);
  write_npy(path("noisy.npy"), noisy);
  write_npy(path("lifted_noisy.npy"), lifted(noisy));
  const std::vector<std::string> flags{"--noise-aware", "--lambda", "50", "--json"};
  const Outcome outcome = check(path("lifted.npy"), path("lifted_noisy.npy"), flags);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json seen = Json::parse(outcome.out)["certificate"];
  const Json plain = Json::parse(check(path("op.npy"), path("noisy.npy"), flags).out)["certificate"];
  EXPECT_EQ(seen["verdict"], plain["verdict"]);
  EXPECT_EQ(seen["zeros"], plain["zeros"]);
  EXPECT_EQ(seen["tangent_dimension"], plain["tangent_dimension"]);
  EXPECT_NEAR(seen["objective"].get<double>() / plain["objective"].get<double>(), 1, 1e-4);
}

TEST_F(OperatorCheck, TakesPatchesOfImages) {
  Image image{{Matrix<float>(60, 70)}, 8, false};  // flat fields, in which differences are zero
  for (std::int64_t i = 0; i < 60; ++i) {
    for (std::int64_t j = 0; j < 70; ++j) image.channels[0](i, j) = i / 20 + j / 20 == 2 ? 200.0f : 40.0f;
  }
  write_image(path("fields.png"), image);
  Matrix<double> differences(12, 9);  // between neighbours in 3 × 3 pixels
  std::int64_t row = 0;
  for (std::int64_t k = 0; k < 9; ++k) {
    for (const std::int64_t next : {k + 1, k + 3}) {
      if (next > 8 || (next == k + 1 && next % 3 == 0)) continue;
      differences(row, k) = -1;
      differences(row++, next) = 1;
    }
  }
  ASSERT_EQ(row, 12);
  operators::write_operator(path("differences.npy"), differences);
  const Outcome outcome = check(path("differences.npy"), path("fields.png"), {"--samples", "300", "--json"});
  ASSERT_EQ(outcome.code, 3) << outcome.err;  // no tight frame
  const Json root = Json::parse(outcome.out);
  EXPECT_EQ(root["profile"]["signals"], 300);
  EXPECT_GT(root["profile"]["mean_zeros"].get<double>(), 6);  // an edge crosses three pairs of twelve, or six
  expect_one_error(check(path("op.npy"), path("fields.png")), 2, {"--data", "8 values"});
  expect_one_error(check(path("differences.npy"), path("fields.png"), {"--patch", "4"}), 2, {"4 × 4"});
  expect_one_error(check(path("differences.npy"), path("x.npy"), {"--min-deviation", "3"}), 2,
                   {"--min-deviation"});
}

TEST_F(OperatorCheck, RefusesBadInputInOneLine) {
  const std::string op = path("op.npy"), x = path("x.npy");
  expect_one_error(check(path("none.npy"), x), 1, {"none.npy"});
  expect_one_error(check(op, path("none.npy")), 1, {"none.npy"});
  expect_one_error(run({"operator", "check", op}), 2, {"--data", "parsimony operator check --help"});
  expect_one_error(run({"operator", "check"}), 2, {"OPERATOR"});
  expect_one_error(run({"operator"}), 2, {"a verb is missing: learn, check"});
  expect_one_error(check(op, x, {"--zero-tolerance", "2"}), 2, {"--zero-tolerance"});
  expect_one_error(check(op, x, {"--frame-tolerance", "nan"}), 2, {"--frame-tolerance"});
  expect_one_error(check(op, x, {"--max-iterations", "-1"}), 2, {"--max-iterations"});
  expect_one_error(check(op, x, {"--max-memory", "100"}), 1, {"100"});
  expect_one_error(check(op, x, {"--threads", "-2"}), 2, {"--threads"});
  expect_one_error(check(op, x, {"--exakt"}), 2, {"did you mean --exact?"});

  write_npy(path("wide.npy"), Matrix<float>(5, 9));
  expect_one_error(check(op, path("wide.npy")), 1, {"9 values each", "the operator have 8"});
  expect_one_error(check(write("text.npy", "not an array"), x), 1, {"text.npy"});
  Matrix<float> bad = signals_;
  bad(7, 3) = std::nanf("");
  write_npy(path("bad.npy"), bad);
  expect_one_error(check(op, path("bad.npy")), 1, {"bad.npy: row 7", "not finite"});
  Matrix<double> few(5, 8);
  for (std::int64_t i = 0; i < 5; ++i) few(i, i) = 1;
  operators::write_operator(path("few.npy"), few);
  expect_one_error(check(path("few.npy"), x), 1, {"5 x 8", "at least as many rows as columns"});
  Matrix<double> hole = omega_;
  hole(4, 4) = INFINITY;
  write_npy(path("hole.npy"), MatrixView<const double>(hole));
  expect_one_error(check(path("hole.npy"), x), 1, {"hole.npy"});
}

}  // namespace
}  // namespace parsimony::cli
