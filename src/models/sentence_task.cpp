#include "parsimony/models/sentence_task.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/torch.h>

#include <algorithm>
#include <set>

#include "core/count_of.hpp"
#include "models/class_figures.hpp"
#include "models/sentence_inputs.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/models/weights.hpp"

namespace parsimony::models {
namespace {

std::int64_t most_tokens(const BertOptions& model) {
  return model.family == EncoderFamily::roberta ? model.positions - model.padding_token - 1 : model.positions;
}

void check_tokenizer(const data::SentenceTokenizer& tokenizer, const SentenceTaskOptions& options,
                     const BertOptions& model) {
  if (tokenizer.vocabulary() > model.vocabulary) {
    refuse(fmt::format("tokenizer: {} has {}; the network of {} has {}", options.tokenizer.string(),
                       count_of(tokenizer.vocabulary(), "token"), options.config.string(), model.vocabulary));
  }
  const std::int64_t padding = tokenizer.special().padding;
  if (padding != data::kNoToken && padding != model.padding_token) {
    refuse(fmt::format("tokenizer: the padding of {} is the token {}; that of {} is {}",
                       options.tokenizer.string(), padding, options.config.string(), model.padding_token));
  }
  if (options.max_length > most_tokens(model)) {
    refuse(fmt::format("max_length: is {}; must be at most {}, the positions of {}", options.max_length,
                       most_tokens(model), options.config.string()));
  }
}

std::vector<std::string> sorted_labels(const data::LabelledTexts& a, const data::LabelledTexts& b) {
  std::set<std::string> all(a.labels.begin(), a.labels.end());
  all.insert(b.labels.begin(), b.labels.end());
  return {all.begin(), all.end()};
}

class SetMaker {
 public:
  SetMaker(const data::SentenceTokenizer& tokenizer, const SentenceTaskOptions& options,
           const std::vector<std::string>& labels, const Context& context)
      : tokenizer_(tokenizer), options_(options), labels_(labels), context_(context) {}

  /// `used` of the texts, evenly spaced; 0: all.
  SentenceSet make(const data::LabelledTexts& table, const std::filesystem::path& file,
                   std::int64_t used) const {
    SentenceSet out;
    const std::int64_t count = used == 0 ? table.size() : std::min(used, table.size());
    for (std::int64_t k = 0; k < count; ++k) {
      if (k % 256 == 0) context_.check_cancelled();
      const std::int64_t i = k * table.size() / count;
      const std::string& first = table.first[i];
      if (options_.target == data::TextTarget::score) {
        out.texts.push_back(tokenizer_.encode(first, options_.max_length));
        out.second.push_back(tokenizer_.encode(table.second[i], options_.max_length));
        out.scores.push_back(table.scores[i]);
        continue;
      }
      out.texts.push_back(table.second.empty()
                              ? tokenizer_.encode(first, options_.max_length)
                              : tokenizer_.encode_pair(first, table.second[i], options_.max_length));
      const auto at = std::find(labels_.begin(), labels_.end(), table.labels[i]);
      if (at == labels_.end()) {
        refuse(fmt::format("labels: are {}; {} has the label {} too", fmt::join(labels_, ", "), file.string(),
                           table.labels[i]));
      }
      out.classes.push_back(at - labels_.begin());
    }
    return out;
  }

 private:
  const data::SentenceTokenizer& tokenizer_;
  const SentenceTaskOptions& options_;
  const std::vector<std::string>& labels_;
  const Context& context_;
};

// Mean outputs over the tokens that are not padding, of length 1.
torch::Tensor sentence_vectors(Bert& model, const torch::Tensor& inputs) {
  const torch::Tensor tokens = inputs.select(1, 0);
  const torch::Tensor real = tokens.ne(model.options().padding_token).unsqueeze(2).to(torch::kFloat);
  const torch::Tensor sums = (model.encode(tokens, inputs.select(1, 1)) * real).sum(1);
  return torch::nn::functional::normalize(sums, torch::nn::functional::NormalizeFuncOptions().dim(1));
}

// The vectors of all texts in their order, n × width.
torch::Tensor all_vectors(Bert& model, const std::vector<data::EncodedText>& texts, const Context& context) {
  const torch::Tensor out = torch::empty({std::ssize(texts), model.options().width});
  for_each_batch(texts, model.options().padding_token, "evaluating", context,
                 [&](const torch::Tensor& inputs, std::span<const std::int64_t> which) {
                   const torch::Tensor vectors = sentence_vectors(model, inputs);
                   for (std::size_t k = 0; k < which.size(); ++k) {
                     out[which[k]].copy_(vectors[static_cast<std::int64_t>(k)]);
                   }
                 });
  return out;
}

}  // namespace

std::shared_ptr<const SentenceData> read_sentence_data(const SentenceTaskOptions& options, bool training,
                                                       const Context& context) {
  validate_fields(options);
  const bool scores = options.target == data::TextTarget::score;
  if (scores && training) refuse("target: scores are for evaluation; training needs label");
  if (options.held_out.empty()) refuse("held_out: must name the table of the evaluation texts");
  if (training && options.texts.empty()) refuse("texts: must name the table of the training texts");
  auto out = std::make_shared<SentenceData>();
  out->model =
      read_bert_config(options.config, scores ? EncoderHead::none : EncoderHead::classification, true);
  const data::SentenceTokenizer tokenizer = data::load_tokenizer(options.tokenizer);
  check_tokenizer(tokenizer, options, out->model);
  const auto table = [&](const std::filesystem::path& file) {
    return data::read_labelled_texts(file, options.layout, options.target, context);
  };
  const data::LabelledTexts held_out = table(options.held_out);
  if (scores && held_out.second.empty()) {
    refuse(options.held_out.string() + ": has scores of single sentences; a similarity needs pairs");
  }
  // The training texts also say which labels there are.
  const bool needs_labels = !scores && options.labels.empty() && !options.texts.empty();
  const data::LabelledTexts texts = training || needs_labels ? table(options.texts) : data::LabelledTexts{};
  out->labels = options.labels.empty() ? sorted_labels(texts, held_out) : options.labels;
  if (!scores) out->model.classes = std::max<std::int64_t>(std::ssize(out->labels), 2);
  const SetMaker maker(tokenizer, options, out->labels, context);
  out->evaluation = maker.make(held_out, options.held_out, 0);
  if (training) out->training = maker.make(texts, options.texts, options.texts_used);
  return out;
}

std::map<std::string, double> class_figures(const SentenceData& data, MatrixView<const float> logits) {
  ClassFigures figures;
  for (std::int64_t i = 0; i < logits.rows; ++i) figures.add(logits.row(i), data.evaluation.classes[i]);
  std::map<std::string, double> out = figures.figures();
  if (data.labels.size() == 2) out["matthews"] = figures.matthews();
  return out;
}

std::map<std::string, double> similarity_figures(const SentenceSet& set, MatrixView<const float> first,
                                                 MatrixView<const float> second) {
  std::vector<double> cosines(set.scores.size());
  for (std::int64_t i = 0; i < std::ssize(cosines); ++i) {
    for (std::int64_t j = 0; j < first.cols; ++j) {
      cosines[i] += static_cast<double>(first(i, j)) * second(i, j);
    }
  }
  return {{"spearman", rank_correlation(cosines, set.scores)}};
}

SentenceTask::SentenceTask(const SentenceTaskOptions& options, std::shared_ptr<const SentenceData> data)
    : data_(std::move(data)) {
  torch::manual_seed(options.seed);
  BertOptions model = data_->model;
  model.share_adjacent = options.share_adjacent;
  model.layer_drop = options.layer_drop;
  model.seed = options.seed;
  model_ = std::make_shared<Bert>(model);
  if (!options.weights.empty()) {
    drawn_ = load_encoder_weights(
        *model_, data_->model.family == EncoderFamily::roberta ? "roberta." : "bert.", options.weights);
  }
}

train::Batch SentenceTask::batch(std::span<const std::int64_t> examples, std::uint64_t, std::int64_t,
                                 std::int64_t) const {
  const torch::Tensor classes = torch::empty({std::ssize(examples)}, torch::kLong);
  for (std::int64_t k = 0; k < std::ssize(examples); ++k) {
    if (examples[k] < 0 || examples[k] >= this->examples()) {
      refuse(fmt::format("example {}: there are {}, numbered from 0", examples[k], this->examples()));
    }
    classes.data_ptr<std::int64_t>()[k] = data_->training.classes[examples[k]];
  }
  return {sentence_inputs(data_->training.texts, examples, data_->model.padding_token), classes};
}

torch::Tensor SentenceTask::forward(const torch::Tensor& inputs) {
  return model_->forward(inputs.select(1, 0), inputs.select(1, 1));
}

train::Outputs SentenceTask::forward_with_states(const torch::Tensor& inputs) {
  train::Outputs out;
  const torch::Tensor tokens = inputs.select(1, 0);
  out.logits = model_->forward(tokens, inputs.select(1, 1), &out.states);
  const torch::Tensor real = tokens.ne(data_->model.padding_token).unsqueeze(2);
  for (torch::Tensor& state : out.states) state = state * real;
  return out;
}

void SentenceTask::keep_blocks(std::span<const std::int64_t> keep) {
  model_->keep_blocks(keep);
  model_->end_layer_drop();
}

std::map<std::string, double> SentenceTask::evaluate(const Context& context) {
  const SentenceSet& set = data_->evaluation;
  const torch::NoGradGuard no_gradient;
  model_->eval();
  if (!set.scores.empty()) {
    const torch::Tensor first = all_vectors(*model_, set.texts, context);
    const torch::Tensor second = all_vectors(*model_, set.second, context);
    return similarity_figures(set, {first.data_ptr<float>(), first.size(0), first.size(1)},
                              {second.data_ptr<float>(), second.size(0), second.size(1)});
  }
  Matrix<float> logits(std::ssize(set.texts), data_->model.classes);
  for_each_batch(set.texts, data_->model.padding_token, "evaluating", context,
                 [&](const torch::Tensor& inputs, std::span<const std::int64_t> which) {
                   const torch::Tensor some = forward(inputs).contiguous();
                   for (std::int64_t k = 0; k < std::ssize(which); ++k) {
                     std::copy_n(some[k].data_ptr<float>(), logits.cols(), logits.row(which[k]).data());
                   }
                 });
  return class_figures(*data_, logits);
}

}  // namespace parsimony::models
