// Implements shipped_flow of parsimony/images/unrolled_flow.hpp.
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

#include "images/flow/flow_file.hpp"
#include "parsimony/images/unrolled_flow.hpp"

namespace parsimony::images {
namespace {

struct Shipped {
  std::string_view name;
  double sigma;  // the noise that it was trained for, on the scale of grey values
};
constexpr std::array kShipped{Shipped{"flow-20.npz", 20}};

}  // namespace

// The bytes of src/images/flow/<name>, in the order of kShipped.
extern const std::array<std::string_view, kShipped.size()> kShippedFlows;

std::size_t nearest_shipped_flow(double sigma) {
  std::size_t best = 0;
  for (std::size_t k = 1; k < kShipped.size(); ++k) {
    const auto distance = [&](std::size_t i) { return std::abs(std::log(sigma / kShipped[i].sigma)); };
    if (distance(k) < distance(best)) best = k;
  }
  return best;
}

UnrolledFlow shipped_flow(double sigma) {
  const std::size_t best = nearest_shipped_flow(sigma);
  return parse_unrolled_flow(std::string(kShippedFlows[best]), std::string(kShipped[best].name), 0);
}

}  // namespace parsimony::images
