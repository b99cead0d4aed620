#include "parsimony/cluster/model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "cluster/models/model_format.hpp"
#include "core/files/npz.hpp"
#include "expect_error.hpp"
#include "parsimony/cluster/cluster.hpp"
#include "parsimony/cluster/points.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/core/random.hpp"
#include "parsimony/graph/neighbor_graph.hpp"
#include "parsimony/graph/scores.hpp"
#include "temporary_directory.hpp"
#include "thread_counts.hpp"

namespace parsimony::cluster::model_test {
namespace {

struct Rings {
  Matrix<float> points;
  std::vector<std::int32_t> labels;
};

// Concentric rings of radius 1, 2, 3 in a plane, with some noise: no cluster is a ball.
Rings rings(std::int64_t n, std::uint64_t seed) {
  Rings out{Matrix<float>(n, 2), std::vector<std::int32_t>(n)};
  const RandomStream angle(seed, "angle"), noise(seed, "noise");
  for (std::int64_t i = 0; i < n; ++i) {
    out.labels[i] = static_cast<std::int32_t>(i % 3);
    const double turn = 2 * 3.14159265358979 * angle.uniform(i), radius = 1 + i % 3 + 0.08 * noise.normal(i);
    out.points(i, 0) = static_cast<float>(radius * std::cos(turn));
    out.points(i, 1) = static_cast<float>(radius * std::sin(turn));
  }
  return out;
}

PointModel random_model(std::int64_t n, std::int64_t d, std::int64_t clusters, std::int64_t neighbors = 5) {
  PointModel model{Matrix<float>(n, d), std::vector<std::int32_t>(n), clusters, graph::Metric::euclidean,
                   neighbors};
  RandomStream(n, "points").fill_normal(model.points.values());
  const RandomStream random(n, "labels");
  for (std::int64_t i = 0; i < n; ++i) model.labels[i] = static_cast<std::int32_t>(random.below(clusters, i));
  return model;
}

bool same(const Matrix<float>& a, const Matrix<float>& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() &&
         std::equal(a.values().begin(), a.values().end(), b.values().begin());
}

TEST(PointModel, IsTheSameAfterSavingAndLoading) {
  const TemporaryDirectory directory;
  for (const graph::Metric metric :
       {graph::Metric::euclidean, graph::Metric::cosine, graph::Metric::manhattan}) {
    PointModel model = random_model(300, 7, 9);
    model.metric = metric;
    save_model(directory / "model.npz", model);
    const PointModel loaded = load_model(directory / "model.npz");
    EXPECT_TRUE(same(loaded.points, model.points));
    EXPECT_EQ(loaded.labels, model.labels);
    EXPECT_EQ(loaded.clusters, 9);
    EXPECT_EQ(loaded.neighbors, 5);
    EXPECT_EQ(loaded.metric, metric);
    const PointModel queries = random_model(200, 7, 2);
    EXPECT_EQ(assign(loaded, queries.points).labels, assign(model, queries.points).labels);
  }
}

// Two groups of times a minute apart, in milliseconds: float32 tells none of them from another.
TEST(PointModel, KeepsTheShiftForNewPoints) {
  const auto times = [](double phase) {
    Matrix<double> out(80, 1);
    for (std::int64_t i = 0; i < 80; ++i) {
      out(i, 0) = 1.7e12 + (i < 40 ? 0 : 60000) + 100 * static_cast<double>(i % 40) + phase;
    }
    return out;
  };
  std::vector<std::int32_t> truth(80);
  for (std::size_t i = 40; i < 80; ++i) truth[i] = 1;
  const Matrix<double> points = times(0);
  PointClusterOptions options;
  options.cluster.clusters = 2;
  const PointClustering found = cluster_points(points.view(), options);
  EXPECT_EQ(graph::agreement(found.labels, truth).adjusted_rand, 1);
  const PointModel model = make_model(graph::float32_points(points.view()), found, options);
  ASSERT_EQ(model.shift.size(), 1u);
  const TemporaryDirectory directory;
  save_model(directory / "model.npz", model);
  const PointModel loaded = load_model(directory / "model.npz");
  EXPECT_EQ(loaded.shift, model.shift);
  EXPECT_TRUE(same(loaded.points, model.points));
  EXPECT_EQ(assign(loaded, points.view()).labels, found.labels);
  EXPECT_EQ(assign(loaded, times(13).view()).labels, found.labels);
  const Matrix<float> origin(1, 1);  // float32 points lie beside those of the model, too: less the shift
  EXPECT_EQ(assign(loaded, origin).labels[0], found.labels[0]);
}

// Labels drawn at random, so that the neighbours of a point all say something else.
TEST(Assign, PointsOfTheModelKeepTheirClusters) {
  for (const graph::Metric metric :
       {graph::Metric::euclidean, graph::Metric::cosine, graph::Metric::manhattan}) {
    PointModel model = random_model(2000, 4, 20, 15);
    model.metric = metric;
    EXPECT_EQ(assign(model, model.points).labels, model.labels);
  }
}

// The vote by its definition, over all points of the model.
TEST(Assign, IsTheWeightedVoteOfTheNearest) {
  const PointModel model = random_model(400, 3, 4, 7), queries = random_model(150, 3, 2);
  const ClusterResult assigned = assign(model, queries.points);
  EXPECT_EQ(assigned.clusters, 4);
  for (std::int64_t q = 0; q < 150; ++q) {
    std::vector<std::pair<double, std::int32_t>> near;
    for (std::int64_t i = 0; i < 400; ++i) {
      double square = 0;
      for (std::int64_t j = 0; j < 3; ++j) {
        square += std::pow(static_cast<double>(queries.points(q, j)) - model.points(i, j), 2);
      }
      near.emplace_back(std::sqrt(square), model.labels[i]);
    }
    std::partial_sort(near.begin(), near.begin() + 7, near.end());
    std::vector<double> votes(4);
    for (int r = 0; r < 7; ++r) votes[near[r].second] += 1 / near[r].first;
    const double most = *std::max_element(votes.begin(), votes.end());
    EXPECT_NEAR(votes[assigned.labels[q]], most, 1e-5 * most) << "query " << q;
  }
}

TEST(Assign, TheNearerClusterWinsATie) {
  PointModel model{Matrix<float>(4, 1), {2, 0, 0, 2}, 3, graph::Metric::euclidean, 2};
  for (std::int64_t i = 0; i < 4; ++i) model.points(i, 0) = static_cast<float>(i);  // 0 1 2 3
  Matrix<float> queries(3, 1);
  queries(0, 0) = 0.25f;  // nearer to 0 than to 1
  queries(1, 0) = 0.5f;   // as near to either: the first of them
  queries(2, 0) = 0.75f;
  EXPECT_EQ(assign(model, queries).labels, (std::vector<std::int32_t>{2, 2, 0}));
}

// The purpose: points that were left out get the clusters that they would have had among the others.
TEST(Assign, HeldOutPointsJoinTheirClusters) {
  const Rings all = rings(3000, 1), left_out = rings(900, 2);
  const graph::Neighbors neighbors = graph::nearest_neighbors(all.points);
  const ClusterResult clustered =
      compressive_spectral_clustering(graph::neighbor_graph(neighbors), options_for_points(3));
  ASSERT_GT(graph::agreement(clustered.labels, all.labels).adjusted_rand, 0.99);
  const PointModel model{all.points, clustered.labels, 3, graph::Metric::euclidean, 10};
  const ClusterResult assigned = assign(model, left_out.points);
  EXPECT_GT(graph::agreement(assigned.labels, left_out.labels).adjusted_rand, 0.99);
}

TEST(Assign, SameBytesForAnyNumberOfThreads) {
  const PointModel model = random_model(3000, 5, 6), queries = random_model(5000, 5, 2);
  const AssignOptions options{.search = graph::Search::approximate, .recall = 0.9};
  const auto one = assign(model, queries.points, options, Context(1));
  for (const int threads : parsimony::testing::kThreadCounts) {
    EXPECT_EQ(one.labels, assign(model, queries.points, options, Context(threads)).labels);
  }
}

TEST(Assign, RefusesWhatDoesNotFit) {
  const PointModel model = random_model(50, 3, 4);
  expect_error(ErrorCode::invalid_argument, "rows of 4 values", [&] { assign(model, Matrix<float>(5, 4)); });
  Matrix<float> bad(5, 3);
  bad(2, 1) = std::numeric_limits<float>::quiet_NaN();
  expect_error(ErrorCode::invalid_argument, "row 2", [&] { assign(model, bad); });
  EXPECT_TRUE(assign(model, Matrix<float>(0, 3)).labels.empty());
  PointModel broken = random_model(50, 3, 4);
  broken.labels[7] = 4;
  expect_error(ErrorCode::invalid_argument, "labels: item 7 is 4", [&] { assign(broken, bad); });
  broken.labels.pop_back();
  const TemporaryDirectory directory;
  expect_error(ErrorCode::invalid_argument, "49 values for 50 points",
               [&] { save_model(directory / "m.npz", broken); });
  EXPECT_FALSE(std::filesystem::exists(directory / "m.npz"));
}

// A file whose arrays are right except for some.
class ModelFile {
 public:
  ModelFile() {
    number("version", 1);
    number("clusters", 2);
    number("neighbors", 2);
    text("metric", "cosine");
    labels({0, 1, 1});
    points({3, 2}, 6);
  }
  ModelFile& number(const std::string& name, std::int64_t value) {
    return put(npz_member(name, "<i8", {}, &value, 8));
  }
  ModelFile& text(const std::string& name, const std::string& value) {
    return put(npz_member(name, "|S" + std::to_string(value.size()), {}, value.data(), value.size()));
  }
  ModelFile& labels(const std::vector<std::int32_t>& values) {
    return put(npz_member("labels", "<i4", {static_cast<std::int64_t>(values.size())}, values.data(),
                          4 * values.size()));
  }
  ModelFile& points(std::initializer_list<std::int64_t> shape, std::size_t count) {
    const std::vector<float> values(count, 1.5f);
    return put(npz_member("points", "<f4", shape, values.data(), 4 * count));
  }
  ModelFile& shift(const std::vector<double>& values) {
    return put(npz_member("shift", "<f8", {static_cast<std::int64_t>(values.size())}, values.data(),
                          8 * values.size()));
  }
  ModelFile& without(const std::string& name) {
    members_.erase(name + ".npy");
    return *this;
  }
  std::string bytes() const { return make_zip({members_.begin(), members_.end()}); }

 private:
  ModelFile& put(std::pair<std::string, std::string> member) {
    members_[member.first] = std::move(member.second);
    return *this;
  }
  std::map<std::string, std::string> members_;
};

TEST(PointModel, BrokenFilesAreNamedWithWhatIsWrong) {
  EXPECT_EQ(parse_model(ModelFile().bytes(), "m.npz", 0).labels, (std::vector<std::int32_t>{0, 1, 1}));
  const auto refuse = [](const std::string& piece, const ModelFile& file,
                         ErrorCode code = ErrorCode::format) {
    expect_error(code, piece, [&] { parse_model(file.bytes(), "m.npz", 0); });
  };
  for (const char* name : {"version", "clusters", "neighbors", "metric", "labels", "points"}) {
    refuse(std::string("m.npz: no array '") + name + "'; is it a model", ModelFile().without(name));
  }
  refuse("version 3", ModelFile().number("version", 3), ErrorCode::unsupported);
  refuse("no array 'shift'", ModelFile().number("version", 2));
  EXPECT_EQ(parse_model(ModelFile().number("version", 2).shift({1e9, -2}).bytes(), "m.npz", 0).shift,
            (std::vector<double>{1e9, -2}));
  refuse("shift: 3 values for rows of 2", ModelFile().number("version", 2).shift({1, 2, 3}));
  refuse("shift: item 1 is nan", ModelFile().number("version", 2).shift({1, std::nan("")}));
  refuse("metric", ModelFile().text("metric", "hamming"), ErrorCode::unsupported);
  refuse("clusters: 0", ModelFile().number("clusters", 0));
  refuse("neighbors: 4; must be 1 to 3", ModelFile().number("neighbors", 4));
  refuse("neighbors: -1", ModelFile().number("neighbors", -1));
  refuse("item 2 is 2; must be 0 to 1", ModelFile().labels({0, 1, 2}));
  refuse("item 0 is -1", ModelFile().labels({-5, 1, 1}));
  refuse("2 values for 3 points", ModelFile().labels({0, 1}));
  refuse("'points' must have two dimensions", ModelFile().points({6}, 6));
  refuse("3 × 0", ModelFile().points({3, 0}, 0));
  refuse("shape", ModelFile().points({3, 1 << 30}, 6));
  refuse("'labels' must have one dimension", ModelFile().number("labels", 0));
  expect_error(ErrorCode::memory_limit, "above the limit of 1000", [] {
    parse_model(ModelFile().points({3, 200}, 600).bytes(), "m.npz", 1000);
  });
}

// Cut anywhere or with any byte changed: an error that names the file, or a model that is sound.
TEST(PointModel, DamagedFilesNeverGiveAnUnsoundModel) {
  const std::string whole = ModelFile().bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    expect_error(ErrorCode::format, "m.npz", [&] { parse_model(whole.substr(0, size), "m.npz", 0); });
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x41);
    try {
      const PointModel model = parse_model(changed, "m.npz", 1 << 24);
      EXPECT_EQ(model.labels, (std::vector<std::int32_t>{0, 1, 1}));
      EXPECT_EQ(model.points.size(), 6);
    } catch (const Error& error) {
      EXPECT_NE(error.code(), ErrorCode::internal);
    }
  }
}

TEST(PointModel, LabelsOfAnotherRunAreRefused) {
  const TemporaryDirectory directory;
  const PointModel model = random_model(200, 3, 5);
  save_model(directory / "model.npz", model);
  std::vector<std::int32_t> others = model.labels;
  others[117] = (others[117] + 1) % 5;
  const std::vector<std::int32_t> fewer(model.labels.begin(), model.labels.end() - 1);
  for (const char* name : {"l.txt", "l.csv.gz", "l.npy"}) {
    const auto written = [&](const std::vector<std::int32_t>& labels) {
      graph::write_labels(directory / name, graph::NodeIds::consecutive(std::ssize(labels), 0), labels);
      return graph::read_labels(directory / name);
    };
    check_model_labels(directory / "model.npz", written(model.labels));
    expect_error(ErrorCode::format, "row 117", [&] { check_model_labels(model, "m", written(others)); });
    expect_error(ErrorCode::format, "199 labels", [&] { check_model_labels(model, "m", written(fewer)); });
  }
  graph::write_labels(directory / "l.txt", graph::NodeIds::consecutive(200, 1), model.labels);
  expect_error(ErrorCode::format, "row 0 has no label",
               [&] { check_model_labels(model, "m", graph::read_labels(directory / "l.txt")); });
}

}  // namespace
}  // namespace parsimony::cluster::model_test
