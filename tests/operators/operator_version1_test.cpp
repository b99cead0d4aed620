// An operator of version 1, written by parsimony 0.1.0: every later one must read it with these values.
#include "parsimony/operators/operator_file.hpp"
#include "places.hpp"

namespace parsimony::operators {
namespace {

TEST(OperatorVersion1, IsTheTightFrameThatWasLearned) {
  const Matrix<double> analysis = read_operator(places::source_folder() / "tests/formats/v1/operator.npy");
  ASSERT_EQ(analysis.rows(), 6);
  ASSERT_EQ(analysis.cols(), 4);
  EXPECT_NEAR(analysis(0, 0), -0.09233601, 1e-8);
  EXPECT_NEAR(analysis(5, 3), 0.13841855, 1e-8);
  for (std::int64_t i = 0; i < 4; ++i) {  // frame bounds 1 and rows of equal norms
    for (std::int64_t j = 0; j < 4; ++j) {
      double sum = 0;
      for (std::int64_t r = 0; r < 6; ++r) sum += analysis(r, i) * analysis(r, j);
      EXPECT_NEAR(sum, i == j ? 1 : 0, 1e-12);
    }
  }
  for (std::int64_t r = 0; r < 6; ++r) {
    double square = 0;
    for (const double value : analysis.row(r)) square += value * value;
    EXPECT_NEAR(square, 4.0 / 6, 1e-12);
  }
}

}  // namespace
}  // namespace parsimony::operators
