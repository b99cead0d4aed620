// A point model of version 1, written by parsimony 0.1.0: every later one must read it with these values.
#include <cmath>

#include "parsimony/cluster/model.hpp"
#include "places.hpp"

namespace parsimony::cluster::model_version1_test {
namespace {

TEST(PointModelVersion1, HasItsPointsAndAssignsThemToTheirClusters) {
  const PointModel model = load_model(places::source_folder() / "tests/formats/v1/points.npz");
  ASSERT_EQ(model.points.rows(), 40);
  ASSERT_EQ(model.points.cols(), 2);
  EXPECT_EQ(model.clusters, 2);
  EXPECT_EQ(model.neighbors, 4);
  EXPECT_EQ(model.metric, graph::Metric::euclidean);
  ASSERT_EQ(model.labels.size(), 40u);
  for (std::int64_t i = 0; i < 40;
       ++i) {  // two circles of radius 1 around (0, 0) and (8, 0), as in make_inputs.py
    const double angle = 2 * 3.14159265358979 * static_cast<double>(i % 20) / 20;
    EXPECT_NEAR(model.points(i, 0), std::cos(angle) + (i < 20 ? 0 : 8), 1e-6);
    EXPECT_NEAR(model.points(i, 1), std::sin(angle), 1e-6);
    EXPECT_EQ(model.labels[i], model.labels[i < 20 ? 0 : 20]);
  }
  EXPECT_NE(model.labels[0], model.labels[20]);
  EXPECT_EQ(assign(model, model.points).labels, model.labels);
}

}  // namespace
}  // namespace parsimony::cluster::model_version1_test
