// The role of a layer in its network, by its name and shape.
#pragma once

#include "parsimony/core/options.hpp"
#include "parsimony/core/safetensors.hpp"

namespace parsimony::quant {

enum class Role {
  embedding,    ///< rows of a vocabulary, and outputs that share its size
  position,     ///< embedding of positions
  token_type,   ///< embedding of sentence numbers
  attention,    ///< queries, keys, values and the output of attention
  ffn,          ///< feed-forward layers of Transformers, experts among them
  classifier,   ///< the last layer
  linear,       ///< any other weight of two dimensions
  stem,         ///< a convolution of the picture itself
  pointwise,    ///< a convolution by kernels of one value
  convolution,  ///< any other convolution
  depthwise,    ///< a convolution with one input channel for each output
  recurrent,    ///< LSTM, GRU, RNN
};

constexpr auto names_of(Role) {
  using enum Role;
  return enum_names<Role>({{embedding, "embedding"},
                           {position, "position"},
                           {token_type, "token-type"},
                           {attention, "attention"},
                           {ffn, "ffn"},
                           {classifier, "classifier"},
                           {linear, "linear"},
                           {stem, "stem"},
                           {pointwise, "pointwise"},
                           {convolution, "convolution"},
                           {depthwise, "depthwise"},
                           {recurrent, "recurrent"}});
}

/// The role of a weight of 2 to 5 dimensions, given as its codes see it, outputs first. Knows the names of
/// transformers, timm, torchvision, fairseq and GPT-2; where a name says nothing, the shape decides.
Role role_of(const TensorInfo& coded);

}  // namespace parsimony::quant
