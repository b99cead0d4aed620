// Implements json_text of support/show.hpp.
#include <nlohmann/json.hpp>

#include "core/report_json.hpp"
#include "support/show.hpp"

namespace parsimony::cli {

std::string json_text(const nlohmann::ordered_json& root) {
  return root.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string json_text(nlohmann::ordered_json root, const Context& context) {
  root["memory"] = memory_json(context);
  return json_text(root);
}

}  // namespace parsimony::cli
