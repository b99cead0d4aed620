// Implements pair_text and pair_json of operators/show_certificate.hpp.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/count_of.hpp"
#include "core/report_json.hpp"
#include "operators/show_certificate.hpp"
#include "support/show.hpp"

namespace parsimony::cli {

std::string pair_text(const operators::PairCertificate& found) {
  std::string text =
      fmt::format("signals           {}\nzeros a signal    {:.2f} in the mean, denoised\n", found.signals,
                  static_cast<double>(found.zeros) / static_cast<double>(found.signals));
  text += fmt::format("objective         {:.8g}\n", found.objective);
  text += fmt::format("max|N|            {:.4f}\n", found.multiplier);
  text += fmt::format("gradient          {:.1e} of what it would be outside of the tangent space\n",
                      found.stationarity);
  text += fmt::format("tangent space     {}\n", count_of(found.dimension, "dimension"));
  if (!std::isnan(found.curvature))
    text += fmt::format("curvature         at least {:.3g}\n", found.curvature);
  if (!std::isnan(found.first_order_gap)) {
    text += fmt::format("first-order gap   {:.1e} by the linear program\n", found.first_order_gap);
  }
  return text + found.explanation + "\n";
}

std::string pair_json(const std::string& path, const operators::PairCertificate& found) {
  nlohmann::ordered_json root = report_json(found.report);
  root["operator"] = {{"file", path}};
  root["certificate"] = {{"verdict", enum_name(found.verdict)},
                         {"explanation", found.explanation},
                         {"objective", found.objective},
                         {"zeros", found.zeros},
                         {"multiplier", found.multiplier},
                         {"stationarity", found.stationarity},
                         {"tangent_dimension", found.dimension},
                         {"curvature", found.curvature},
                         {"radius", found.radius},
                         {"first_order_gap", found.first_order_gap},
                         {"decrease", found.decrease}};
  return json_text(root);
}

}  // namespace parsimony::cli
