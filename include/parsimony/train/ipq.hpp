// Iterative product quantization [stock2020bit, fan2021training]: stage by stage layers get codes, and the
// network is trained on with them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/quant/integer_quantizer.hpp"
#include "parsimony/quant/product_quantizer.hpp"
#include "parsimony/quant/quantized_tensor.hpp"

namespace at {
class Tensor;
}
namespace torch::nn {
class Module;
}

namespace parsimony::train {

struct IpqOptions {
  quant::Scheme scheme = quant::Scheme::product;
  int bits = 8;                                    ///< of integers
  quant::RangeRule range = quant::RangeRule::mse;  ///< of integers, of each output
  std::int64_t block_size =
      0;  ///< weights of a block; 0: a kernel, 4 of convolutions of one position, 8 of others
  quant::BlockLayout layout = quant::BlockLayout::row;          ///< of convolutions
  std::int64_t centroids = 256;                                 ///< at most; at least 4 blocks share one
  quant::CodebookType codebook = quant::CodebookType::float16;  ///< as it is stored
  int kmeans_iterations = 20;
  bool permute_channels = false;  ///< see quant::search_channel_permutation; bytes: one or two a channel
  bool shared_codebook = false;   ///< one for the layers of a stage whose blocks are alike
  bool latent_weights = false;    ///< the float weights are trained too, and codes may follow them
  std::uint64_t seed = 0;
};

template <OptionsOf<IpqOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"scheme", "products, or integers of `bits`"}, options.scheme);
  visit(Field{"bits", "bits of an integer", 2, 8}, options.bits);
  visit(Field{"range", "how the range of the integers of an output is chosen"}, options.range);
  visit(Field{"block_size", "weights of a block, 0: by the kind of layer", 0, 4096}, options.block_size);
  visit(Field{"layout", "where the weights of a block of a convolution lie"}, options.layout);
  visit(Field{"centroids", "centroids of a codebook at most", 1, 65536}, options.centroids);
  visit(Field{"codebook", "type of the centroids as stored"}, options.codebook);
  visit(Field{"kmeans_iterations", "iterations for a codebook", 0, 1e6}, options.kmeans_iterations);
  visit(Field{"permute_channels", "input channels in an order whose blocks are easier to quantize"},
        options.permute_channels);
  visit(Field{"shared_codebook", "one codebook for the like layers of a stage"}, options.shared_codebook);
  visit(Field{"latent_weights", "train the float weights too"}, options.latent_weights);
  visit(Field{"seed", "seed of all randomness"}, options.seed);
}

/// Layers that have options of their own, all of them: nothing is taken over from the other layers'.
struct IpqScheme {
  std::string layers;  ///< regular expression that the whole name of a layer matches
  IpqOptions options{};
};

/// While it lives, quantized layers compute with the weights that their codes stand for. Guards of one module
/// end in the reverse order of their beginnings.
class DecodedWeights {
 public:
  DecodedWeights(DecodedWeights&&) noexcept;
  DecodedWeights& operator=(DecodedWeights&&) = delete;
  ~DecodedWeights();

 private:
  friend class Ipq;
  struct State;
  explicit DecodedWeights(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// A quantized layer in the midst of training.
struct IpqLayer {
  std::string name;
  std::string same_as{};            ///< layer whose weight it shares, and then it has no more than this
  quant::QuantizedTensor tensor{};  ///< its centroids to the last bit; one pointer for all that share them
  std::vector<float> importance{};  ///< that reassign() goes by
};

/// The codes and centroids of a model in training.
///
///   train::Ipq ipq(*model);
///   for (const std::string& stage : train::ipq_stages(*model)) {
///     ipq.quantize(stage);
///     … an optimizer of ipq.centroids() and of the model's parameters …
///     for (…) {
///       auto decoded = ipq.apply();
///       loss(model->forward(x), y).backward();
///       optimizer.step();
///     }
///   }
///   ipq.store();
///
/// A quantized weight is C[A], the rows of its codebook C by its codes A. The gradient of a centroid is the
/// **mean** of the gradients of the blocks that it stands for, over all layers that share the codebook (the
/// authors' program sums them in linear layers and embeddings); the codes stay. With latent_weights it is
/// C[A] + W − stopgrad(W): the float weights W get the gradient of what they stand for, and reassign() gives
/// each block the centroid that is nearest to it now. Layers that are not quantized yet are trained as
/// always.
///
/// A weight in integers is φ(W) by ranges of its outputs, which fit_ranges() chooses anew; its float weights
/// are latent and get the gradient straight through. Scales are halves, as files may store them. Layers may
/// have schemes of their own: integers here, products there, in one stage or in several.
class Ipq {
 public:
  /// The model must live longer. The options of a layer are those of the first scheme that it matches, and
  /// of none `options`. Throws invalid_argument for options out of range, broken regular expressions, and a
  /// scheme that no layer has.
  explicit Ipq(torch::nn::Module& model, IpqOptions options = {}, Context context = Context{},
               const std::vector<IpqScheme>& schemes = {});
  ~Ipq();

  /// k-means on the present weights (or ranges) of the layers whose names match the regular expression and
  /// that have no codes yet: their names. A codebook is shared within a scheme. Throws invalid_argument where
  /// there is none.
  std::vector<std::string> quantize(const std::string& layers);

  /// By the name of the layer what an error of its weights counts (WeightView::importance), for layers that
  /// are quantized from now on; input_second_moments gathers it.
  void set_importance(std::map<std::string, std::vector<float>> importance);

  DecodedWeights apply();

  /// The codebooks, each K × d with gradients, in the order of quantize.
  std::vector<at::Tensor> centroids() const;

  /// Whether any options say that codes may follow the weights.
  bool has_latent_weights() const;

  /// New codes of products by the latent weights: the fraction of all that changed. Throws invalid_argument
  /// where neither options nor schemes have latent_weights.
  double reassign();

  /// Ranges of integers by the weights as they are now.
  void fit_ranges();

  /// Centroids rounded to their stored type, and the model's parameters set to what they stand for.
  void store();

  /// All that a run needs to be resumed, where the model computes in float32: what quantize and the steps
  /// made, in the order of quantize, and an Ipq of the same model and options that is given it is this one.
  /// Throws invalid_argument for layers that do not fit the model, the options or each other, and changes
  /// nothing.
  std::vector<IpqLayer> layers() const;
  void set_layers(const std::vector<IpqLayer>& layers);

  /// By the name of the layer, as a file stores them, centroids rounded.
  std::map<std::string, quant::QuantizedTensor> tensors() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Regular expressions for Ipq::quantize, one a stage. Of a network with convolutions: each convolution but
/// the first, in the order of registration, then the linear layers but the last; what is left out is small
/// and better kept in integers. Of others, by the names of their layers: feed-forward layers, embeddings,
/// attention [fan2021training].
std::vector<std::string> ipq_stages(torch::nn::Module& model);

}  // namespace parsimony::train
