// Iterative product quantization [stock2020bit, fan2021training]: quantizes a network stage by stage and
// trains it on with the quantized layers.
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
  /// Products need fewer bytes at the same size of error; integers suit small layers, such as the first and
  /// last.
  quant::Scheme scheme = quant::Scheme::product;
  int bits = 8;                                    ///< bits of the integers
  quant::RangeRule range = quant::RangeRule::mse;  ///< how the range of the integers of an output is chosen
  /// Weights in a block. 0 (auto): a whole kernel; 4 for convolutions with one position, 8 for all other
  /// layers. Larger blocks need fewer bytes and cost accuracy.
  std::int64_t block_size = 0;
  quant::BlockLayout layout = quant::BlockLayout::row;  ///< which weights of a convolution form a block
  std::int64_t centroids = 256;  ///< most centroids; a small layer gets one per 4 blocks
  quant::CodebookType codebook = quant::CodebookType::float16;  ///< type of the stored centroids
  int max_iterations = 20;                                      ///< limit of k-means
  /// Reorders the input channels so that their blocks are easier to quantize, see
  /// quant::search_channel_permutation; costs one or two bytes a channel.
  bool permute_channels = false;
  bool shared_codebook =
      false;  ///< one codebook for all layers of a stage with blocks of one kind; for small models
  /// Also trains the float weights behind the codes, so that reassign() can change codes. Try it if the
  /// accuracy lost by quantization does not come back.
  bool latent_weights = false;
  std::uint64_t seed = 0;
};

template <OptionsOf<IpqOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"scheme", "product codes, or integers of `bits`"}, options.scheme);
  visit(Field{"bits", "bits of an integer", 2, 8}, options.bits);
  visit(Field{"range", "how the range of the integers of an output is chosen"}, options.range);
  visit(Field{"block_size", "weights in a block; auto: by the kind of layer", 1, 4096, "auto", 0},
        options.block_size);
  visit(Field{"layout", "which weights of a convolution form a block"}, options.layout);
  visit(Field{"centroids", "most centroids of a codebook", 1, 65536}, options.centroids);
  visit(Field{"codebook", "type of the stored centroids"}, options.codebook);
  visit(Field{"max_iterations", "iterations of k-means at most", 0, 1e6}, options.max_iterations);
  visit(Field{"permute_channels", "reorder input channels so that blocks are easier to quantize"},
        options.permute_channels);
  visit(Field{"shared_codebook", "one codebook for all layers of a stage with blocks of one kind"},
        options.shared_codebook);
  visit(Field{"latent_weights", "also train the float weights, which codes then follow"},
        options.latent_weights);
  visit(Field{"seed", "seed of all random numbers"}, options.seed);
}

/// Options for some layers. They replace those of the other layers completely.
struct IpqScheme {
  std::string layers;  ///< regular expression that must match the whole name of a layer
  IpqOptions options{};
};

/// A guard: quantized layers compute with their decoded weights until it is destroyed. Several guards of one
/// model must be destroyed in the reverse order of their creation.
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

/// The state of a quantized layer in training.
struct IpqLayer {
  std::string name;
  std::string same_as{};  ///< layer whose weight it shares; then the other fields are empty
  quant::QuantizedTensor
      tensor{};  ///< with unrounded centroids; layers that share a codebook share its pointer
  std::vector<float> importance{};  ///< importance of its weights, used by reassign()
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
/// A quantized weight is C[A]: the rows of its codebook C selected by its codes A. The gradient of a centroid
/// is the
/// **mean** of the gradients of its blocks, over all layers that share the codebook (the program of the
/// authors sums them in linear layers and embeddings); the codes do not change. With latent_weights the
/// weight is C[A] + W − stopgrad(W): the float weights W get the same gradient, and reassign() gives each
/// block its nearest centroid. Layers that are not quantized yet are trained as usual.
///
/// A weight in integers is φ(W) with one range per output, which fit_ranges() updates; its float weights W
/// get the gradient straight through. Scales are rounded to float16, as files store them. Layers may have
/// different schemes: integers here, products there, in one stage or in several.
class Ipq {
 public:
  /// The model must outlive the object. A layer has the options of the first scheme that matches it, or
  /// `options` if none does. Throws invalid_argument for options out of range, broken regular expressions,
  /// and a scheme that no layer uses.
  explicit Ipq(torch::nn::Module& model, IpqOptions options = {}, Context context = Context{},
               const std::vector<IpqScheme>& schemes = {});
  ~Ipq();

  /// Quantizes the layers whose names match the regular expression and that are still unquantized, by k-means
  /// (or ranges) on their present weights. Returns their names. Layers share a codebook only within a scheme.
  /// Throws invalid_argument if there is no such layer.
  std::vector<std::string> quantize(const std::string& layers);

  /// Sets the importance of weights (WeightView::importance) by the name of the layer, for the layers that
  /// are quantized from now on. input_second_moments() measures it.
  void set_importance(std::map<std::string, std::vector<float>> importance);

  /// Lets quantized layers compute with their decoded weights while the guard lives.
  DecodedWeights apply();

  /// The codebooks, each K × d with gradients, in the order of quantization.
  std::vector<at::Tensor> centroids() const;

  /// Whether the options of any layer have latent_weights.
  bool has_latent_weights() const;

  /// Gives each block with latent weights its nearest centroid. Returns the fraction of codes that changed.
  /// Throws invalid_argument if no options have latent_weights.
  double reassign();

  /// Fits the ranges of integers to the present weights.
  void fit_ranges();

  /// Rounds the centroids to their stored type and sets the parameters of the model to the decoded weights.
  void store();

  /// The whole state of a run whose model computes in float32, in the order of quantization. set_layers() on
  /// an Ipq of the same model and options restores it. Throws invalid_argument if the layers do not fit the
  /// model, the options or each other, and then changes nothing.
  std::vector<IpqLayer> layers() const;
  void set_layers(const std::vector<IpqLayer>& layers);

  /// The quantized weights by the name of the layer as a file stores them, with rounded centroids.
  std::map<std::string, quant::QuantizedTensor> tensors() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Regular expressions for Ipq::quantize(), one per stage. A network with convolutions: each convolution
/// except the first, in the order of registration, then the linear layers except the last; the layers left
/// out are small and better kept in integers. Other networks, by the names of their layers: feed-forward
/// layers, embeddings, attention [fan2021training].
std::vector<std::string> ipq_stages(torch::nn::Module& model);

}  // namespace parsimony::train
