// A point model of version 2, with a shift: every later version must read it with these values.
#include <cmath>

#include "parsimony/cluster/model.hpp"
#include "places.hpp"

namespace parsimony::cluster::model_version2_test {
namespace {

TEST(PointModelVersion2, HasItsShiftAndAssignsPointsInFloat64) {
  const PointModel model = load_model(places::source_folder() / "tests/formats/v2/points.npz");
  ASSERT_EQ(model.points.rows(), 40);
  ASSERT_EQ(model.shift.size(), 2u);
  EXPECT_EQ(model.clusters, 2);
  EXPECT_EQ(model.neighbors, 4);
  Matrix<double> points(40, 2);
  for (std::int64_t i = 0; i < 40; ++i) {  // two circles of radius 1 around (10⁹, 10⁹) and (10⁹ + 8, 10⁹)
    const double angle = 2 * 3.14159265358979 * static_cast<double>(i % 20) / 20;
    points(i, 0) = std::cos(angle) + (i < 20 ? 0 : 8) + 1e9;
    points(i, 1) = std::sin(angle) + 1e9;
    for (std::int64_t j = 0; j < 2; ++j) EXPECT_NEAR(model.points(i, j) + model.shift[j], points(i, j), 3e-6);
    EXPECT_EQ(model.labels[i], model.labels[i < 20 ? 0 : 20]);
  }
  EXPECT_NE(model.labels[0], model.labels[20]);
  EXPECT_EQ(assign(model, points.view()).labels, model.labels);
}

}  // namespace
}  // namespace parsimony::cluster::model_version2_test
