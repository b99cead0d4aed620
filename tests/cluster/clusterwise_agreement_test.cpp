#include "cluster/number_of_clusters/clusterwise_agreement.hpp"

#include <gtest/gtest.h>

namespace parsimony::cluster::clusterwise_agreement_test {
namespace {

TEST(ClusterwiseAgreement, IsOneForOneClusteringAndZeroForIndependentOnes) {
  for (const std::int32_t k : {2, 3, 7}) {
    std::vector<std::int32_t> rows, columns, renamed;
    for (std::int32_t i = 0; i < k * k * 4; ++i) {
      rows.push_back(i / 4 / k);
      columns.push_back(i / 4 % k);
      renamed.push_back(k - 1 - rows.back());
    }
    EXPECT_DOUBLE_EQ(clusterwise_agreement(rows, renamed, k), 1);
    // Each pair of clusters has the same nodes in common: chance.
    EXPECT_NEAR(clusterwise_agreement(rows, columns, k), 0, 1e-12);
  }
}

// Clusters {0, …, 5} and {6, …, 9} against {0, …, 3} and {4, …, 9}: 4 of 6 and 4 of 6; 1/3 is chance.
TEST(ClusterwiseAgreement, EachClusterCountsAlikeWhateverItsSizeAndName) {
  const std::vector<std::int32_t> a{0, 0, 0, 0, 0, 0, 1, 1, 1, 1}, b{1, 1, 1, 1, 0, 0, 0, 0, 0, 0};
  EXPECT_DOUBLE_EQ(clusterwise_agreement(a, b, 2), (4.0 / 6 - 1.0 / 3) / (1 - 1.0 / 3));
  EXPECT_DOUBLE_EQ(clusterwise_agreement(b, a, 2), clusterwise_agreement(a, b, 2));
}

}  // namespace
}  // namespace parsimony::cluster::clusterwise_agreement_test
