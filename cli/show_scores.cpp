#include "show_scores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace parsimony::cli {

std::string scores_text(const graph::PartitionScores& scores) {
  std::vector<std::int64_t> sizes = scores.sizes;
  std::sort(sizes.begin(), sizes.end());
  std::string text;
  if (!sizes.empty()) {
    text += fmt::format("sizes             {} to {}, median {}\n", sizes.front(), sizes.back(),
                        sizes[sizes.size() / 2]);
  }
  return text + fmt::format("modularity        {:.6f}\nnormalized cut    {:.6f}\nmean conductance  {:.6f}\n",
                            scores.modularity, scores.normalized_cut, scores.mean_conductance);
}

nlohmann::ordered_json scores_json(const graph::PartitionScores& scores) {
  return {{"modularity", scores.modularity},
          {"normalized_cut", scores.normalized_cut},
          {"mean_conductance", scores.mean_conductance},
          {"sizes", scores.sizes},
          {"conductance", scores.conductance},
          {"volume", scores.volume},
          {"cut", scores.cut}};
}

}  // namespace parsimony::cli
