#include "parsimony/models/language_task.hpp"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"

namespace parsimony::models {
namespace {

constexpr std::int64_t kLinesOfStretch = 100;
constexpr std::int64_t kLogitsAtOnce = std::int64_t{1} << 24;  // 64 MiB in an evaluation

// Shares the memory of the tokens.
torch::Tensor as_tensor(std::vector<std::int32_t>& tokens) {
  return torch::from_blob(tokens.data(), {std::ssize(tokens)}, torch::kInt);
}

data::Tokenizer tokenizer_of(const LanguageTaskOptions& options) {
  if (options.encoder.empty() != options.merges.empty()) {
    refuse(fmt::format("{}: is missing; byte pairs need encoder and merges",
                       options.encoder.empty() ? "encoder" : "merges"));
  }
  if (options.encoder.empty()) return {};
  return data::read_byte_pairs(options.encoder, options.merges, options.max_vocabulary);
}

// Evaluation mode until the end of the scope.
class Evaluating {
 public:
  explicit Evaluating(torch::nn::Module& model) : model_(model), training_(model.is_training()) {
    model_.eval();
  }
  Evaluating(const Evaluating&) = delete;
  Evaluating& operator=(const Evaluating&) = delete;
  ~Evaluating() { model_.train(training_); }

 private:
  torch::nn::Module& model_;
  bool training_;
  torch::NoGradGuard no_gradient_;
};

}  // namespace

SplitText split_lines(std::string_view text, std::int64_t every) {
  SplitText out;
  for (std::int64_t stretch = 0; !text.empty(); ++stretch) {
    std::size_t end = 0;
    for (std::int64_t line = 0; line < kLinesOfStretch && end < text.size(); ++line) {
      end = std::min(text.find('\n', end), text.size() - 1) + 1;
    }
    (stretch % every == every - 1 ? out.held_out : out.text) += text.substr(0, end);
    text.remove_prefix(end);
  }
  return out;
}

LanguageData read_language_data(const LanguageTaskOptions& options, bool training, const Context& context) {
  validate_fields(options);
  LanguageData out;
  out.tokenizer = tokenizer_of(options);
  if (!options.dictionary.empty()) {
    if (!options.encoder.empty()) refuse("dictionary: words and byte pairs of encoder; give one of them");
    out.dictionary = data::read_word_dictionary(options.dictionary);
  }
  const std::int64_t words = out.dictionary ? out.dictionary->size() : out.tokenizer.vocabulary();
  const auto encode = [&](const std::string& text) {
    return out.dictionary ? out.dictionary->encode(text) : out.tokenizer.encode(text);
  };
  SplitText parts;
  if (training || options.held_out.empty()) parts.text = read_file(options.text, 0, context.stop);
  if (options.held_out.empty()) {
    parts = split_lines(parts.text, options.held_out_every);
  } else {
    parts.held_out = read_file(options.held_out, 0, context.stop);
  }
  if (training) out.training = encode(parts.text);
  context.check_cancelled();
  out.held_out = encode(parts.held_out);
  out.vocabulary = options.vocabulary == 0 ? words : options.vocabulary;
  if (out.vocabulary < words) {
    refuse(
        fmt::format("vocabulary: is {}; must be at least {}, the tokens of the text", out.vocabulary, words));
  }
  if (out.held_out.size() < 2) {
    const auto count = std::ssize(out.held_out);
    refuse(fmt::format("{}: {} {} held out; must be 2 at least",
                       (options.held_out.empty() ? options.text : options.held_out).string(),
                       count_of(count, "token"), noun_of(count, "is", "are")));
  }
  return out;
}

std::map<std::string, double> language_figures(const LanguageData& data, double nats) {
  const std::span<const std::int32_t> predicted = std::span(data.held_out).subspan(1);
  const auto count = static_cast<double>(predicted.size());
  const double perplexity = std::exp(nats / count);
  if (data.dictionary) {
    const auto unknown = std::count(predicted.begin(), predicted.end(), data.dictionary->unknown());
    return {{"perplexity", perplexity}, {"unknown", static_cast<double>(unknown) / count}};
  }
  double bytes = 0;
  for (const std::int32_t token : predicted) bytes += static_cast<double>(data.tokenizer.bytes(token).size());
  return {{"perplexity", perplexity}, {"bits_per_byte", nats / std::log(2.0) / bytes}};
}

LanguageTask::LanguageTask(const LanguageTaskOptions& options, TransformerOptions model,
                           const Context& context)
    : data_(read_language_data(options, true, context)),
      tokens_(as_tensor(data_.training)),
      held_out_(as_tensor(data_.held_out)) {
  model.vocabulary = data_.vocabulary;
  model_ = std::make_shared<Transformer>(model);
  if (examples() < 1) {
    refuse(fmt::format("{}: {} to learn from; a window of {} needs one more than that", options.text.string(),
                       count_of(tokens_.numel(), "token"), model.context));
  }
}

std::int64_t LanguageTask::examples() const {
  return (tokens_.numel() - 1) / model_->options().context;
}

train::Batch LanguageTask::batch(std::span<const std::int64_t> examples, std::uint64_t, std::int64_t,
                                 std::int64_t) const {
  const std::int64_t length = model_->options().context;
  std::vector<torch::Tensor> windows;
  for (const std::int64_t i : examples) {
    if (i < 0 || i >= this->examples()) {
      refuse(fmt::format("example {}: there are {}, numbered from 0", i, this->examples()));
    }
    windows.push_back(tokens_.slice(0, i * length, (i + 1) * length + 1));
  }
  const torch::Tensor all = torch::stack(windows).to(torch::kLong);
  return {all.slice(1, 0, length), all.slice(1, 1, length + 1)};
}

train::Outputs LanguageTask::forward_with_states(const torch::Tensor& inputs) {
  train::Outputs out;
  out.logits = model_->forward(inputs, &out.states);
  return out;
}

torch::Tensor LanguageTask::loss(const train::Batch& batch) {
  if (model_->options().cutoffs.empty()) return Task::loss(batch);
  return -model_->log_probabilities(batch.inputs, batch.targets).mean();
}

void LanguageTask::keep_blocks(std::span<const std::int64_t> keep) {
  model_->keep_blocks(keep);
  model_->end_layer_drop();
}

std::map<std::string, double> LanguageTask::evaluate(const Context& context) {
  const Evaluating evaluating(*model_);
  const std::int64_t count = held_out_.numel() - 1, length = model_->options().context;
  const std::int64_t windows =
      std::max<std::int64_t>(kLogitsAtOnce / (length * model_->options().vocabulary), 1);
  double nats = 0;
  for (std::int64_t begin = 0; begin < count;) {
    context.check_cancelled();
    // Whole windows, then a shorter one for the rest.
    const std::int64_t rows = std::clamp<std::int64_t>((count - begin) / length, 1, windows);
    const std::int64_t width = std::min(length, count - begin);
    const auto part = [&](std::int64_t from) {
      return held_out_.slice(0, from, from + rows * width).to(torch::kLong).view({rows, width});
    };
    nats -= model_->log_probabilities(part(begin), part(begin + 1)).sum(torch::kDouble).item<double>();
    begin += rows * width;
    context.progress("evaluate", begin, count);
  }
  return language_figures(data_, nats);
}

}  // namespace parsimony::models
