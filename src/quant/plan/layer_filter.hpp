// Which tensors of a model become codes.
#pragma once

#include <optional>
#include <regex>
#include <string>

#include "parsimony/quant/compress.hpp"

namespace parsimony::quant {

class LayerFilter {
 public:
  /// Throws invalid_argument for an option (layers, exclude) that is not a regular expression.
  explicit LayerFilter(const CompressOptions& options);

  struct Reason {
    std::string text;
    bool expected = true;  ///< see LeftAlone
  };
  /// The reason to leave the tensor as it is, by its name, dtype and shape; nothing if it can become codes.
  std::optional<Reason> reason_to_leave(const TensorInfo& tensor) const;

 private:
  std::optional<std::regex> layers_, exclude_;
};

}  // namespace parsimony::quant
