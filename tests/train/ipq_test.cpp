#include "parsimony/train/ipq.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <limits>

#include "expect_error.hpp"
#include "parsimony/core/half.hpp"
#include "parsimony/models/resnet.hpp"
#include "parsimony/quant/decode.hpp"
#include "train/small_net.hpp"

namespace parsimony::train {
namespace {

torch::Tensor decoded(const quant::QuantizedTensor& tensor) {
  std::vector<float> values = quant::decode(tensor);
  return torch::from_blob(values.data(), tensor.shape, torch::kFloat).clone();
}

std::map<std::string, torch::Tensor*> weights(SmallNet& net) {
  return {{"conv", &net.conv->weight},           {"depthwise", &net.depthwise->weight},
          {"grouped", &net.grouped->weight},     {"conv1d", &net.conv1d->weight},
          {"embedding", &net.embedding->weight}, {"linear", &net.linear->weight}};
}

IpqOptions small_options() {
  return {.block_size = 4, .centroids = 6, .codebook = quant::CodebookType::float32};
}

// Every value of a codebook, its gradient times the number of blocks, is the slope of the loss: by central
// differences, in all kinds of layers, with blocks that are padded (rows of 9, 12 or 24 by fours) and a
// shared codebook.
TEST(Ipq, CentroidsFollowTheMeanOfTheGradientsOfTheirBlocks) {
  for (const bool shared : {false, true}) {
    SmallProblem problem(1, torch::kDouble);
    problem.words.masked_fill_(problem.words.eq(SmallNet::kPaddingRow), 0);  // has no gradient by definition
    IpqOptions options = small_options();
    options.shared_codebook = shared;
    options.layout = shared ? quant::BlockLayout::input_channels : quant::BlockLayout::row;
    Ipq ipq(*problem.net, options);
    EXPECT_EQ(ipq.quantize(".*").size(), 6);
    const auto loss = [&] {
      const DecodedWeights guard = ipq.apply();
      return problem.loss();
    };
    loss().backward();
    // How many blocks a centroid stands for, from the codes.
    std::map<const quant::Codebook*, std::vector<std::int64_t>> counts;
    std::vector<const quant::Codebook*> order;
    const auto tensors = ipq.tensors();
    for (const auto& [name, tensor] : tensors) {
      auto& of = counts[tensor.codebook.get()];
      of.resize(tensor.codebook->centroids.rows());
      for (const auto code : quant::unpack_codes(tensor.packed, tensor.bits, quant::code_count(tensor)))
        ++of[code];
    }
    EXPECT_EQ(counts.size(), ipq.centroids().size());
    const torch::NoGradGuard no_gradient;
    constexpr double kStep = 1e-5;
    for (torch::Tensor c : ipq.centroids()) {
      const auto match = std::find_if(counts.begin(), counts.end(), [&](const auto& item) {
        return item.first->centroids.rows() == c.size(0) &&
               std::abs(item.first->centroids(0, 0) - c[0][0].item<float>()) < 1e-12;
      });
      ASSERT_NE(match, counts.end());
      for (std::int64_t k = 0; k < c.size(0); ++k) {
        const double own = c[k][0].item<double>();
        c[k][0] = own + kStep;
        const double above = loss().item<double>();
        c[k][0] = own - kStep;
        const double below = loss().item<double>();
        c[k][0] = own;
        // The first coordinate of a block is never padding.
        EXPECT_NEAR(c.grad()[k][0].item<double>() * static_cast<double>(match->second[k]),
                    (above - below) / (2 * kStep), 1e-8);
      }
    }
  }
}

TEST(Ipq, LayersComputeWithWhatTheirCodesStandFor) {
  const SmallProblem problem(2);
  Ipq ipq(*problem.net, small_options());
  EXPECT_EQ(ipq.quantize("linear|conv"), (std::vector<std::string>{"conv", "linear"}));
  EXPECT_EQ(ipq.quantize("linear|embedding"), (std::vector<std::string>{"embedding"}));
  const torch::Tensor leaf = problem.net->linear->weight, before = leaf.detach().clone();
  torch::optim::SGD optimizer(ipq.centroids(), 0.5);
  const auto first = ipq.tensors();
  for (int step = 0; step < 5; ++step) {
    const DecodedWeights guard = ipq.apply();
    optimizer.zero_grad();
    problem.loss().backward();
    optimizer.step();
  }
  const auto last = ipq.tensors();
  for (const auto& [name, tensor] : last) {
    EXPECT_EQ(tensor.packed, first.at(name).packed) << name;
    EXPECT_FALSE(torch::equal(decoded(tensor), decoded(first.at(name)))) << name;
  }
  torch::Tensor quantized;
  {
    const DecodedWeights guard = ipq.apply();
    for (const auto& [name, weight] : weights(*problem.net)) {
      EXPECT_EQ(weight->is_leaf(), !last.contains(name)) << name;
      if (weight->is_leaf()) continue;
      EXPECT_TRUE(torch::equal(weight->detach(), decoded(last.at(name)))) << name;
    }
    quantized = problem.loss().detach();
  }
  EXPECT_TRUE(problem.net->linear->weight.is_same(leaf));
  EXPECT_TRUE(torch::equal(leaf.detach(), before));
  ipq.store();
  EXPECT_TRUE(problem.net->linear->weight.is_same(leaf));
  EXPECT_TRUE(torch::equal(problem.loss().detach(), quantized));
}

TEST(Ipq, StoresCentroidsInTheirType) {
  const SmallProblem problem(3);
  IpqOptions options = small_options();
  options.codebook = quant::CodebookType::int8;
  Ipq ipq(*problem.net, options);
  ipq.quantize("linear");
  ipq.store();
  const auto tensor = ipq.tensors().at("linear");
  EXPECT_EQ(tensor.codebook->type, quant::CodebookType::int8);
  EXPECT_TRUE(torch::equal(problem.net->linear->weight.detach(), decoded(tensor)));
  const torch::Tensor multiples = problem.net->linear->weight.detach() / tensor.codebook->scales[0];
  EXPECT_LE((multiples - multiples.round()).abs().max().item<float>(), 1e-4);
}

// The float weights get the gradient of the decoded ones, and codes are the nearest centroids of them.
TEST(Ipq, CodesFollowLatentWeights) {
  const SmallProblem problem(4);
  IpqOptions options = small_options();
  options.latent_weights = true;
  Ipq ipq(*problem.net, options);
  ipq.quantize("linear");
  EXPECT_EQ(ipq.reassign(), 0);
  const torch::Tensor leaf = problem.net->linear->weight;
  {
    const DecodedWeights guard = ipq.apply();
    const torch::Tensor weight = problem.net->linear->weight;
    EXPECT_TRUE(torch::equal(weight.detach(), decoded(ipq.tensors().at("linear"))));
    weight.retain_grad();
    problem.loss().backward();
    EXPECT_TRUE(torch::equal(leaf.grad(), weight.grad()));
    EXPECT_TRUE(ipq.centroids()[0].grad().defined());
  }
  {
    const torch::NoGradGuard no_gradient;
    leaf.normal_();
  }
  const double changed = ipq.reassign();
  EXPECT_GT(changed, 0);
  EXPECT_LE(changed, 1);
  const auto tensor = ipq.tensors().at("linear");
  const torch::Tensor blocks = leaf.detach().reshape({-1, 4});
  const torch::Tensor distances = torch::cdist(blocks, ipq.centroids()[0].detach());
  const torch::Tensor nearest = std::get<0>(distances.min(1));
  const torch::Tensor got = (decoded(tensor).reshape({-1, 4}) - blocks).norm(2, 1);
  EXPECT_LE((got - nearest).abs().max().item<float>(), 1e-5);
}

// An Ipq that is given the layers of another one goes on as that does, groups and tied layers included.
TEST(Ipq, LayersAreAllThatItHas) {
  for (const bool shared : {false, true}) {
    IpqOptions options = small_options();
    options.shared_codebook = shared;
    options.latent_weights = true;
    const SmallProblem first(7), second(7);
    Ipq ipq(*first.net, options), other(*second.net, options);
    ipq.quantize("conv|grouped");
    ipq.quantize("embedding|linear");
    other.quantize("linear");  // is forgotten
    const std::vector<IpqLayer> layers = ipq.layers();
    other.set_layers(layers);
    for (int step = 0; step < 3; ++step) {
      torch::Tensor losses[2];
      int i = 0;
      for (const auto& [one, problem] : {std::pair{&ipq, &first}, std::pair{&other, &second}}) {
        torch::optim::SGD optimizer(one->centroids(), 0.5);
        const DecodedWeights guard = one->apply();
        losses[i] = problem->loss();
        losses[i++].backward();
        optimizer.step();
      }
      EXPECT_TRUE(torch::equal(losses[0], losses[1]));
      EXPECT_EQ(ipq.reassign(), other.reassign());
    }
    ASSERT_EQ(ipq.centroids().size(), other.centroids().size());
    for (std::size_t i = 0; i < ipq.centroids().size(); ++i) {
      EXPECT_TRUE(torch::equal(ipq.centroids()[i], other.centroids()[i]));
    }
    std::vector<IpqLayer> wrong = layers;
    wrong[0].name = "nowhere";
    expect_error(ErrorCode::invalid_argument, "\"nowhere\" is not in the model",
                 [&] { other.set_layers(wrong); });
    wrong = layers;
    wrong[0].tensor.shape = {2, 2};
    expect_error(ErrorCode::invalid_argument, "\"conv\"", [&] { other.set_layers(wrong); });
    EXPECT_EQ(other.layers().size(), 4) << "nothing was changed";
  }
}

TEST(Ipq, ReassigningNeedsLatentWeights) {
  const SmallProblem problem(5);
  Ipq ipq(*problem.net, small_options());
  expect_error(ErrorCode::invalid_argument, "latent_weights", [&] { ipq.reassign(); });
  expect_error(ErrorCode::invalid_argument, "\"decoder\" matches no layer", [&] { ipq.quantize("decoder"); });
  ipq.quantize("linear");
  expect_error(ErrorCode::invalid_argument, "matches no layer", [&] { ipq.quantize("linear"); });
  const DecodedWeights guard = ipq.apply();
  expect_error(ErrorCode::invalid_argument, "computes with replaced weights",
               [&] { ipq.quantize("linear"); });
}

// φ by ranges that stay until they are fitted anew, the gradient straight through, and a file's codes.
TEST(Ipq, LayersHaveSchemesOfTheirOwn) {
  const SmallProblem problem(6);
  const IpqOptions integers{.scheme = quant::Scheme::integer, .bits = 3, .range = quant::RangeRule::min_max};
  Ipq ipq(*problem.net, small_options(), Context{},
          {{"grouped|conv", integers}, {"conv.*", small_options()}});
  EXPECT_EQ(ipq.quantize("linear|grouped|conv"), (std::vector<std::string>{"conv", "grouped", "linear"}));
  EXPECT_EQ(ipq.centroids().size(), 1);
  const torch::Tensor leaf = problem.net->conv->weight;
  const auto first = ipq.tensors();
  EXPECT_EQ(first.at("conv").bits, 3);
  EXPECT_EQ(first.at("linear").scheme, quant::Scheme::product);
  for (const float scale : first.at("conv").scale) EXPECT_EQ(from_half(to_half(scale)), scale);
  {
    const DecodedWeights guard = ipq.apply();
    const torch::Tensor weight = problem.net->conv->weight;
    EXPECT_TRUE(torch::equal(weight.detach(), decoded(first.at("conv"))));
    // Half a step from the values, and half a step for the zero point that is whole.
    const torch::Tensor scale = torch::tensor(first.at("conv").scale).view({-1, 1, 1, 1});
    EXPECT_LE(((leaf - weight).detach() / scale).abs().max().item<float>(), 1.01F);
    weight.retain_grad();
    problem.loss().backward();
    EXPECT_TRUE(torch::equal(leaf.grad(), weight.grad()));
    EXPECT_TRUE(problem.net->grouped->weight.grad_fn() != nullptr);
  }
  {
    const torch::NoGradGuard no_gradient;
    leaf.mul_(2);
  }
  EXPECT_EQ(ipq.tensors().at("conv").scale, first.at("conv").scale);
  ipq.fit_ranges();
  const auto last = ipq.tensors();
  for (std::size_t o = 0; o < last.at("conv").scale.size(); ++o) {
    EXPECT_NEAR(last.at("conv").scale[o] / first.at("conv").scale[o], 2, 0.01);
  }
  EXPECT_EQ(last.at("grouped").scale, first.at("grouped").scale);
  ipq.store();
  EXPECT_TRUE(torch::equal(leaf.detach(), decoded(last.at("conv"))));
  EXPECT_EQ(ipq.tensors().at("conv").packed, last.at("conv").packed);
  expect_error(ErrorCode::invalid_argument, "latent_weights", [&] { ipq.reassign(); });
}

// A codebook is shared by the layers of a scheme whose blocks are alike, and by no others.
TEST(Ipq, CodebooksAreSharedWithinASchemeAndAStage) {
  const SmallProblem problem(8);
  IpqOptions options = small_options();
  options.shared_codebook = true;
  IpqOptions other = options;
  other.centroids = 5;
  other.latent_weights = true;
  Ipq ipq(*problem.net, options, Context{}, {{"linear|conv", other}});
  ipq.quantize("conv|grouped|linear");
  ipq.quantize("embedding");
  const auto tensors = ipq.tensors();
  const auto book = [&](const char* name) { return tensors.at(name).codebook.get(); };
  EXPECT_EQ(book("conv"), book("linear"));
  EXPECT_EQ(book("conv")->centroids.rows(), 5);
  EXPECT_NE(book("conv"), book("grouped"));
  EXPECT_NE(book("grouped"), book("embedding")) << "another stage";
  EXPECT_EQ(ipq.centroids().size(), 3);

  // A resumed run has the schemes again: only latent codes move.
  const SmallProblem again(8);
  Ipq resumed(*again.net, options, Context{}, {{"linear|conv", other}});
  resumed.set_layers(ipq.layers());
  {
    const torch::NoGradGuard no_gradient;
    for (const auto& problem_of : {&problem, &again}) {
      for (const auto& [name, weight] : weights(*problem_of->net)) weight->neg_();
    }
  }
  EXPECT_GT(resumed.reassign(), 0);
  ipq.reassign();
  const auto now = resumed.tensors();
  for (const auto& [name, tensor] : ipq.tensors()) {
    EXPECT_EQ(tensor.packed, now.at(name).packed) << name;
    EXPECT_EQ(tensor.packed == tensors.at(name).packed, name == "grouped" || name == "embedding") << name;
  }
  IpqOptions integers = options;
  integers.scheme = quant::Scheme::integer;
  Ipq wrong(*again.net, integers);
  expect_error(ErrorCode::invalid_argument, "a scheme other than that of its options",
               [&] { wrong.set_layers(ipq.layers()); });
  expect_error(ErrorCode::invalid_argument, "layers", [&] {
    Ipq(*again.net, options, Context{}, {{"(", options}});
  });
}

// Channels c and c + 4 are alike. In their own order no block of two holds such a pair; side by side each
// block lies near a line, of which few centroids are enough.
TEST(Ipq, PermutedChannelsAreDecodedWhereTheyBelong) {
  const SmallProblem problem(9), again(9);
  const torch::Tensor leaf = problem.net->linear->weight;
  const std::int64_t inputs = leaf.size(1), half = inputs / 2;
  {
    const torch::NoGradGuard no_gradient;
    const torch::Tensor first = torch::randn({leaf.size(0), half});
    leaf.copy_(torch::cat({first, first + 0.05 * torch::randn_like(first)}, 1));
    again.net->linear->weight.copy_(leaf);
  }
  IpqOptions options{.block_size = 2, .centroids = 12, .codebook = quant::CodebookType::float32};
  double error[2];
  for (const bool permute : {false, true}) {
    options.permute_channels = permute;
    Ipq ipq(*problem.net, options);
    ipq.quantize("linear");
    const auto tensor = ipq.tensors().at("linear");
    EXPECT_EQ(tensor.channel_permutation.empty(), !permute);
    error[permute] = (decoded(tensor) - leaf.detach()).square().sum().item<double>();
    const DecodedWeights guard = ipq.apply();
    EXPECT_TRUE(torch::equal(problem.net->linear->weight.detach(), decoded(tensor)));
  }
  EXPECT_LT(error[1], 0.5 * error[0]);
  options.latent_weights = true;
  Ipq ipq(*problem.net, options), resumed(*again.net, options);
  ipq.quantize("linear");
  EXPECT_EQ(ipq.reassign(), 0) << "its own order is kept";
  resumed.set_layers(ipq.layers());
  EXPECT_TRUE(torch::equal(decoded(resumed.tensors().at("linear")), decoded(ipq.tensors().at("linear"))));
  auto wrong = ipq.layers();
  wrong[0].tensor.channel_permutation[0] = wrong[0].tensor.channel_permutation[1];
  expect_error(ErrorCode::invalid_argument, "permutation", [&] { resumed.set_layers(wrong); });
}

// Input channels that count more are met better, by their own measure.
TEST(Ipq, CodebooksFollowTheImportanceOfTheWeights) {
  torch::manual_seed(7);
  torch::nn::Sequential net(torch::nn::Linear(16, 64));
  const torch::Tensor weight = net[0]->as<torch::nn::Linear>()->weight.detach();
  torch::Tensor importance = torch::full({16}, 0.01F);
  importance.slice(0, 0, 16, 4).fill_(1);
  const std::vector<float> values(importance.data_ptr<float>(), importance.data_ptr<float>() + 16);
  const auto error = [&](bool weighted) {
    Ipq ipq(*net, {.block_size = 4, .centroids = 16, .codebook = quant::CodebookType::float32});
    if (weighted) ipq.set_importance({{"0", values}});
    ipq.quantize("0");
    return ((decoded(ipq.tensors().at("0")) - weight).square() * importance).sum().item<double>();
  };
  EXPECT_LT(error(true), 0.8 * error(false));
}

TEST(Ipq, SharedWeightsHaveOneCode) {
  struct Tied : torch::nn::Module {
    torch::nn::Embedding in{nullptr};
    torch::nn::Linear out{nullptr};
    Tied() {
      in = register_module("in", torch::nn::Embedding(40, 8));
      out = register_module("out", torch::nn::Linear(8, 40));
      out->weight = in->weight;
    }
  };
  Tied model;
  Ipq ipq(model, small_options());
  EXPECT_EQ(ipq.quantize(".*").size(), 2);
  EXPECT_EQ(ipq.tensors().size(), 1);
  const DecodedWeights guard = ipq.apply();
  EXPECT_FALSE(model.in->weight.is_leaf());
  EXPECT_TRUE(model.in->weight.is_same(model.out->weight));
}

TEST(Ipq, StagesAreOfTheKindsOfLayers) {
  models::ResNet resnet;
  const std::vector<std::string> stages = ipq_stages(resnet);
  ASSERT_EQ(stages.size(), 18);
  EXPECT_EQ(stages.front(), R"(layer1\.0\.conv1)");
  EXPECT_EQ(stages.back(), R"(layer3\.2\.conv2)");
  torch::nn::Sequential encoder;
  encoder->push_back("words", torch::nn::Embedding(10, 8));
  encoder->push_back("block", torch::nn::TransformerEncoderLayer(8, 2));
  EXPECT_EQ(ipq_stages(*encoder), (std::vector<std::string>{R"(block\.linear1|block\.linear2)", "words",
                                                            R"(block\.self_attn\.out_proj)"}));
}

TEST(Ipq, StagesOfDeepNetworksAreShortAndSelectNoOtherLayer) {
  torch::nn::Module deep, mixed;
  const auto add_block = [](torch::nn::Module& model, int i, const char* part) {
    const auto block = model.register_module(std::to_string(i), std::make_shared<torch::nn::Module>());
    block->register_module(part, torch::nn::Linear(8, 8));
  };
  for (int i = 0; i < 200; ++i) {
    deep.register_module("layer" + std::to_string(i), torch::nn::Linear(8, 8));
    add_block(deep, i, "attention_query");
  }
  EXPECT_EQ(ipq_stages(deep).back(), R"(\d+\.attention_query)");
  // With a convolution the last linear layer is left out: the number of its block tells it apart.
  mixed.register_module("conv1", torch::nn::Conv2d(3, 8, 3));
  for (int i = 0; i < 3; ++i) add_block(mixed, i, "dense");
  EXPECT_EQ(ipq_stages(mixed), (std::vector<std::string>{R"(0\.dense|1\.dense)"}));
}

}  // namespace
}  // namespace parsimony::train
