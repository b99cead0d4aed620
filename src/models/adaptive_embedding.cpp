#include "models/adaptive_embedding.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::models {
namespace {

torch::Tensor in_float(const torch::Tensor& scores) {
  return scores.scalar_type() == torch::kBFloat16 ? scores.to(torch::kFloat) : scores;
}

}  // namespace

struct AdaptiveEmbedding::Band : torch::nn::Module {
  Band(std::int64_t from, std::int64_t to, std::int64_t width, std::int64_t values)
      : first(from),
        last(to),
        words(register_module("words", torch::nn::Embedding(to - from, values))),
        projection(register_module("projection",
                                   torch::nn::Linear(torch::nn::LinearOptions(values, width).bias(false)))) {
    torch::nn::init::normal_(words->weight, 0, 1 / std::sqrt(static_cast<double>(values)));
    torch::nn::init::xavier_uniform_(projection->weight);
  }

  // Positions of the tokens of this band.
  torch::Tensor places(const torch::Tensor& tokens) const {
    return tokens.ge(first).logical_and(tokens.lt(last)).nonzero().squeeze(1);
  }

  std::int64_t first, last;
  torch::nn::Embedding words;
  torch::nn::Linear projection;
};

AdaptiveEmbedding::AdaptiveEmbedding(std::int64_t vocabulary, std::int64_t width,
                                     const std::vector<std::int64_t>& cutoffs, std::int64_t factor) {
  torch::nn::ModuleList list;
  std::int64_t first = 0, values = width;
  for (std::size_t i = 0; i <= cutoffs.size(); ++i, values /= factor) {
    const std::int64_t last = i < cutoffs.size() ? cutoffs[i] : vocabulary;
    if (last <= first || last > vocabulary || (i < cutoffs.size() && last == vocabulary)) {
      refuse(fmt::format("cutoffs: {} after {}; must be increasing numbers from 1 to {}, below the {}", last,
                         first, vocabulary - 1, count_of(vocabulary, "token")));
    }
    if (values < 1) {
      refuse(
          fmt::format("cutoffs: {} of them, each with a {}th of the values of the one before, leave none "
                      "of a width of {}; must be fewer",
                      cutoffs.size(), factor, width));
    }
    bands_.push_back(std::make_shared<Band>(first, last, width, values));
    list->push_back(bands_.back());
    first = last;
  }
  register_module("bands", list);
}

torch::Tensor AdaptiveEmbedding::forward(const torch::Tensor& tokens) {
  const torch::Tensor flat = tokens.reshape({-1});
  std::vector<torch::Tensor> parts, places;
  for (const auto& band : bands_) {
    const torch::Tensor here = band->places(flat);
    if (here.numel() == 0) continue;
    parts.push_back(band->projection(band->words(flat.index_select(0, here) - band->first)));
    places.push_back(here);
  }
  std::vector<std::int64_t> shape = tokens.sizes().vec();
  shape.push_back(bands_.front()->projection->weight.size(0));
  return torch::cat(parts).index_select(0, torch::cat(places).argsort()).view(shape);
}

// ln p of the tokens of the first band, and of each later band as a whole.
torch::Tensor AdaptiveEmbedding::head(const torch::Tensor& x, const torch::Tensor& classes) const {
  const torch::Tensor words = torch::linear(x, bands_.front()->words->weight);
  return torch::cat({in_float(words), in_float(classes)}, 1).log_softmax(1);
}

// ln p of the tokens of a later band, given that it is this band.
torch::Tensor AdaptiveEmbedding::tail(const Band& band, const torch::Tensor& x) {
  const torch::Tensor values = x.matmul(band.projection->weight);
  return in_float(torch::linear(values, band.words->weight)).log_softmax(1);
}

torch::Tensor AdaptiveEmbedding::log_probabilities(const torch::Tensor& x, const torch::Tensor& classes) {
  const torch::Tensor all = head(x, classes);
  const std::int64_t first = bands_.front()->last;
  std::vector<torch::Tensor> parts{all.slice(1, 0, first)};
  for (std::size_t i = 1; i < bands_.size(); ++i) {
    const auto place = first + static_cast<std::int64_t>(i) - 1;
    parts.push_back(tail(*bands_[i], x) + all.slice(1, place, place + 1));
  }
  return torch::cat(parts, 1);
}

torch::Tensor AdaptiveEmbedding::log_probabilities(const torch::Tensor& x, const torch::Tensor& classes,
                                                   const torch::Tensor& targets) {
  const std::int64_t first = bands_.front()->last;
  torch::Tensor place = targets;
  for (std::size_t i = 1; i < bands_.size(); ++i) {
    const torch::Tensor in_band = targets.ge(bands_[i]->first).logical_and(targets.lt(bands_[i]->last));
    place = place.masked_fill(in_band, first + static_cast<std::int64_t>(i) - 1);
  }
  torch::Tensor out = head(x, classes).gather(1, place.unsqueeze(1)).squeeze(1);
  for (std::size_t i = 1; i < bands_.size(); ++i) {
    const torch::Tensor here = bands_[i]->places(targets);
    if (here.numel() == 0) continue;
    const torch::Tensor own = (targets.index_select(0, here) - bands_[i]->first).unsqueeze(1);
    const torch::Tensor within = tail(*bands_[i], x.index_select(0, here)).gather(1, own).squeeze(1);
    out = out.index_add(0, here, within);
  }
  return out;
}

}  // namespace parsimony::models
