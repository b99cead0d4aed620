#include "check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parsimony;
  fuzz::value_or_error([&] {
    const graph::Labels labels =
        graph::parse_labels(fuzz::as_string(data, size), "input", fuzz::limited_context());
    fuzz::check(labels.ids.size() == static_cast<std::int64_t>(labels.clusters.size()),
                "a cluster for every node");
    std::vector<bool> met(labels.names.size());
    for (const std::int32_t cluster : labels.clusters) {
      fuzz::check(cluster >= 0 && cluster < static_cast<std::int64_t>(met.size()), "clusters have names");
      met[cluster] = true;
    }
    for (const bool any : met) fuzz::check(any, "no cluster is empty");
    const graph::AlignedLabels same = graph::align_labels(labels, labels);
    fuzz::check(same.first == labels.clusters && same.second == labels.clusters,
                "labels align with themselves");
  });
  return 0;
}
