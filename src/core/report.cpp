#include "parsimony/core/report.hpp"

#include <nlohmann/json.hpp>

#include "core/report_json.hpp"
#include "parsimony/core/version.hpp"

namespace parsimony {
namespace {

using OrderedJson = nlohmann::ordered_json;

OrderedJson to_object(const std::vector<std::pair<std::string, ReportValue>>& values) {
  OrderedJson object = OrderedJson::object();
  for (const auto& [name, value] : values) {
    std::visit([&, &key = name](const auto& held) { object[key] = held; }, value);
  }
  return object;
}

OrderedJson to_object(const MemoryRecord& memory) {
  return {{"limit", memory.limit}, {"estimate", memory.estimate}, {"peak", memory.peak}};
}

}  // namespace

nlohmann::ordered_json report_json(const Report& report) {
  OrderedJson stages = OrderedJson::array();
  for (const Stage& stage : report.stages) {
    OrderedJson entry{{"name", stage.name}, {"seconds", stage.seconds}};
    if (stage.bytes > 0) entry["bytes"] = stage.bytes;
    stages.push_back(std::move(entry));
  }
  return {{"algorithm", report.algorithm},
          {"status", enum_name(report.status)},
          {"iterations", report.iterations},
          {"seconds", report.seconds()},
          {"figures", to_object(report.figures)},
          {"objective_history", report.objective_history},
          {"stages", std::move(stages)},
          {"options", to_object(report.options)},
          {"seed", report.seed},
          {"threads", report.threads},
          {"simd_target", report.simd_target},
          {"version", report.version},
          {"memory", to_object(report.memory)}};
}

std::string Report::to_json(int indent) const {
  return report_json(*this).dump(indent, ' ', false, OrderedJson::error_handler_t::replace);
}

double Report::seconds() const {
  double total = 0;
  for (const Stage& stage : stages) total += stage.seconds;
  return total;
}

void add_before(Report& report, const Report& earlier) {
  report.stages.insert(report.stages.begin(), earlier.stages.begin(), earlier.stages.end());
  report.options.insert(report.options.end(), earlier.options.begin(), earlier.options.end());
  report.figures.insert(report.figures.end(), earlier.figures.begin(), earlier.figures.end());
}

Report make_report(std::string algorithm, const Context& context, std::uint64_t seed) {
  Report report;
  report.algorithm = std::move(algorithm);
  report.seed = seed;
  report.threads = context.threads();
  report.simd_target = simd_target();
  report.version = version();
  report.memory = memory_of(context);
  return report;
}

MemoryRecord memory_of(const Context& context) {
  return {.limit = context.memory.bytes, .estimate = context.memory_estimate(), .peak = peak_memory()};
}

nlohmann::ordered_json memory_json(const Context& context) {
  return to_object(memory_of(context));
}

}  // namespace parsimony
