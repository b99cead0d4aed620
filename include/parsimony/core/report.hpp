// The record of a run that every algorithm returns with its result.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/options.hpp"

namespace parsimony {

enum class Status { converged, iteration_limit };

constexpr auto names_of(Status) {
  using enum Status;
  return enum_names<Status>({{converged, "converged"}, {iteration_limit, "iteration_limit"}});
}

struct Stage {
  std::string name;
  double seconds = 0;
  std::int64_t bytes = 0;  ///< bytes that the stage moves through memory by its cost model; 0: not modelled
};

using ReportValue = std::variant<bool, std::int64_t, std::uint64_t, double, std::string, std::vector<double>,
                                 std::vector<std::string>>;

/// The memory of the process: the limit and the most that was required are those of the context, the peak is
/// measured at the end of each stage.
struct MemoryRecord {
  std::int64_t limit = 0;     ///< bytes; 0: none
  std::int64_t estimate = 0;  ///< bytes in use and required, by the estimates of the stages; 0: none
  std::int64_t peak = 0;      ///< most resident bytes so far, see peak_memory()
};

struct Report {
  std::string algorithm;
  Status status = Status::converged;
  std::int64_t iterations = 0;
  std::vector<double> objective_history;
  std::vector<Stage> stages;
  std::uint64_t seed = 0;
  int threads = 0;
  std::string simd_target;
  std::string version;
  MemoryRecord memory;
  std::vector<std::pair<std::string, ReportValue>>
      options;  ///< the options as used: values chosen automatically are filled in
  std::vector<std::pair<std::string, ReportValue>> figures;  ///< measurements of the algorithm (lambda_k, …)

  /// The report as one JSON object. indent: spaces per level; below 0 for a single line. NaN and infinities
  /// become null.
  std::string to_json(int indent = 2) const;
  double seconds() const;  ///< sum of the stages

  /// The figure of this name, or nullptr if there is none of type T.
  template <class T>
  const T* find_figure(std::string_view name) const {
    for (const auto& [candidate, value] : figures) {
      if (candidate == name) return std::get_if<T>(&value);
    }
    return nullptr;
  }
  /// The figure of this name; throws Error(invalid_argument) if there is none of type T.
  template <class T>
  const T& figure(std::string_view name) const {
    if (const T* found = find_figure<T>(name)) return *found;
    refuse("the report of " + algorithm + " has no figure " + std::string(name) + " of this type");
  }
};

/// A new report with version, SIMD target, threads, memory and seed filled in.
Report make_report(std::string algorithm, const Context& context, std::uint64_t seed);

/// The memory of the process as it is now.
MemoryRecord memory_of(const Context& context);

/// Adds the report of an earlier step: its stages go first, its options and figures last.
void add_before(Report& report, const Report& earlier);

/// Visitor that adds each field with its value to a list of options.
struct Record {
  std::vector<std::pair<std::string, ReportValue>>& out;

  template <class T>
  void operator()(const Field& field, const T& value) const {
    std::string name(field.name);
    if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::vector<std::string>>) {
      out.emplace_back(std::move(name), value);
    } else if constexpr (std::is_enum_v<T>) {
      out.emplace_back(std::move(name), std::string(enum_name(value)));
    } else if constexpr (std::is_unsigned_v<T>) {
      out.emplace_back(std::move(name), static_cast<std::uint64_t>(value));
    } else if constexpr (std::is_integral_v<T>) {
      out.emplace_back(std::move(name), static_cast<std::int64_t>(value));
    } else if constexpr (std::is_floating_point_v<T>) {
      out.emplace_back(std::move(name), static_cast<double>(value));
    } else if constexpr (std::is_same_v<T, std::vector<std::int64_t>>) {
      out.emplace_back(std::move(name), std::vector<double>(value.begin(), value.end()));
    } else {
      out.emplace_back(std::move(name), std::string(value));
    }
  }
};

/// Adds all fields of the options to the report.
template <class Options>
void record_options(Report& report, const Options& options) {
  describe(options, Record{report.options});
}

/// Adds a stage to the report with the wall time from construction to finish() or destruction.
class StageTimer {
 public:
  StageTimer(Report& report, std::string name) : report_(report), name_(std::move(name)) {}
  StageTimer(const StageTimer&) = delete;
  StageTimer& operator=(const StageTimer&) = delete;
  ~StageTimer() { finish(); }
  void finish() {
    if (done_) return;
    done_ = true;
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
    report_.stages.push_back({std::move(name_), elapsed.count(), bytes});
    report_.memory.peak = peak_memory();
  }

  std::int64_t bytes = 0;

 private:
  Report& report_;
  std::string name_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  bool done_ = false;
};

}  // namespace parsimony
