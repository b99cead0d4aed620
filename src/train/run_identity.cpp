#include "train/run_identity.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "parsimony/core/error.hpp"
#include "parsimony/train/training_processes.hpp"

namespace parsimony::train {
namespace {

template <class Options>
void add(OptionList& out, const std::string& part, const Options& options) {
  OptionList own;
  describe(options, Record{own});
  for (auto& [name, value] : own) out.emplace_back(fmt::format("{}.{}", part, name), std::move(value));
}

// Options that do not change the result: two runs may differ in them.
bool changes_no_result(const std::string& name, bool alone) {
  if (alone && name == "training.synchronize_batch_norm") return true;
  // A checkpoint has their number as a figure of its own.
  return name == "training.processes" || name == "training.evaluation_steps" ||
         name == "training.checkpoint_steps" || name == "training.report_steps";
}

// The next line, or "nothing" at the end.
std::string next_line(std::istringstream& text) {
  std::string line;
  std::getline(text, line);
  return line.empty() ? "nothing" : line;
}

}  // namespace

OptionList options_of(const TrainingPlan& plan) {
  OptionList out;
  add(out, "training", plan.trainer);
  if (plan.processes != nullptr && plan.processes->count() > 1) {
    out.emplace_back("training.processes", std::int64_t{plan.processes->count()});
  }
  if (plan.noise) add(out, "noise", *plan.noise);
  if (plan.pruning) add(out, "pruning", *plan.pruning);
  if (plan.teacher != nullptr) add(out, "teacher", plan.distillation);
  if (!plan.ipq) return out;
  add(out, "ipq", *plan.ipq);
  for (std::size_t i = 0; i < plan.ipq->schemes.size(); ++i) {
    const std::string part = fmt::format("ipq.schemes[{}]", i);
    out.emplace_back(part + ".layers", plan.ipq->schemes[i].layers);
    add(out, part, plan.ipq->schemes[i].options);
  }
  return out;
}

std::string identity_of(const OptionList& options) {
  std::string out;
  const bool alone = std::none_of(options.begin(), options.end(),
                                  [](const auto& option) { return option.first == "training.processes"; });
  for (const auto& [name, value] : options) {
    if (changes_no_result(name, alone)) continue;
    std::visit([&, &key = name](const auto& held) { out += fmt::format("{} = {}\n", key, held); }, value);
  }
  return out;
}

void check_identity(const std::string& saved, const std::string& now,
                    const std::filesystem::path& checkpoint) {
  if (saved == now) return;
  std::istringstream before(saved), after(now);
  std::string was, is;
  do {
    was = next_line(before);
    is = next_line(after);
  } while (was == is);
  refuse(
      fmt::format("{}: belongs to another run: it had {}, now there is {}; use the old options to resume "
                  "or option restart to begin anew",
                  checkpoint.string(), was, is));
}

}  // namespace parsimony::train
