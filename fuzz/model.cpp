#include "check.hpp"
#include "cluster/models/model_format.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parsimony;
  fuzz::value_or_error([&] {
    const cluster::PointModel model =
        cluster::parse_model(fuzz::as_string(data, size), "input", fuzz::kMemory);
    fuzz::check(model.points.rows() == static_cast<std::int64_t>(model.labels.size()), "one label a point");
    fuzz::check(model.neighbors >= 1 && model.neighbors <= model.points.rows(), "as many points as vote");
    for (const std::int32_t label : model.labels) {
      fuzz::check(label >= 0 && label < model.clusters, "labels are clusters");
    }
    // Coordinates may be anything, which assigning refuses; it must not fall over them.
    if (model.points.size() <= 4096) cluster::assign(model, model.points, {}, Context(1));
  });
  return 0;
}
