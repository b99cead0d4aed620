#include "parsimony/quant/model_tensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::quant {

ModelTensors::ModelTensors(const SafetensorsFile& file) : file_(file), metadata_(file.metadata()) {}

ModelTensors::ModelTensors(std::span<const TensorView> tensors, TensorMetadata metadata, std::string name)
    : tensors_(tensors.begin(), tensors.end()), metadata_(std::move(metadata)), name_(std::move(name)) {
  std::sort(tensors_.begin(), tensors_.end(),
            [](const TensorView& a, const TensorView& b) { return a.name < b.name; });
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    const TensorView& tensor = tensors_[i];
    if (i > 0 && tensor.name == tensors_[i - 1].name) {
      refuse(fmt::format("{}: tensor {} is there twice", name_, quoted_name(tensor.name)));
    }
    if (tensor.bytes() != std::ssize(tensor.data)) {
      refuse(fmt::format("{}: tensor {}: its dtype and shape need {}, there are {}", name_,
                         quoted_name(tensor.name), count_of(tensor.bytes(), "byte"), tensor.data.size()));
    }
  }
}

const TensorView& ModelTensors::at(std::string_view name) const {
  if (file_) return file_->at(name);
  const auto found = std::lower_bound(tensors_.begin(), tensors_.end(), name,
                                      [](const TensorView& a, std::string_view b) { return a.name < b; });
  if (found != tensors_.end() && found->name == name) return *found;
  throw Error(ErrorCode::format, fmt::format("{}: there is no tensor {}", name_, quoted_name(name)));
}

std::int64_t ModelTensors::bytes() const {
  if (file_) return file_->size();
  return safetensors_size(std::vector<TensorInfo>(tensors_.begin(), tensors_.end()), metadata_);
}

}  // namespace parsimony::quant
