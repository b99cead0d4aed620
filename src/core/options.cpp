#include "parsimony/core/options.hpp"

#include <fmt/format.h>

namespace parsimony {

void throw_out_of_range(const Field& field, double value) {
  std::string range;
  if (std::isfinite(field.low) && std::isfinite(field.high)) {
    range = fmt::format("from {} to {}", field.low, field.high);
  } else if (std::isfinite(field.low)) {
    range = fmt::format("at least {}", field.low);
  } else if (std::isfinite(field.high)) {
    range = fmt::format("at most {}", field.high);
  } else {
    range = "a number";
  }
  refuse(fmt::format("{}: {} is out of range; must be {} ({})", field.name, value, range, field.help));
}

}  // namespace parsimony
