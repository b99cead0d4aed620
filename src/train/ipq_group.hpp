// Layers with one quantization scheme in training, the parts of Ipq.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "parsimony/quant/blocks.hpp"
#include "parsimony/quant/weight_view.hpp"
#include "parsimony/train/ipq.hpp"
#include "train/layers.hpp"

namespace parsimony::train {

struct IpqMember {
  Layer layer;
  torch::Tensor weight;  // the parameter, which is also the latent weight
  std::vector<std::int64_t> shape;
  quant::BlockGrid grid;
  quant::QuantizedTensor tensor;  // its codes; for integers those of the last fit of the ranges
  torch::Tensor index{};          // see DecodeBlocks
  std::vector<float> importance{};
};

/// Layers whose product codes share a codebook, or one layer in integers.
struct IpqGroup {
  IpqOptions options;
  std::vector<IpqMember> members;
  torch::Tensor centroids, counts;

  bool integers() const { return options.scheme == quant::Scheme::integer; }
  bool latent() const { return integers() || options.latent_weights; }

  /// The codebook by k-means, or the ranges.
  void learn(const Context& context);
  /// As another had it: the codes are those of the members.
  void restore(const Matrix<float>& found);
  /// Ranges of integers by the present weights.
  void fit_ranges(const Context& context);
  /// How many codes changed, of how many.
  std::pair<std::int64_t, std::int64_t> reassign(const Context& context);

  /// The decoded weight that the layer computes with; gradients flow through it.
  torch::Tensor decoded(const IpqMember& member) const;
  std::shared_ptr<const quant::Codebook> codebook(quant::CodebookType type) const;
  /// As a file stores it; of products without the codebook.
  quant::QuantizedTensor stored(const IpqMember& member) const;

 private:
  void take_codes();
};

}  // namespace parsimony::train
