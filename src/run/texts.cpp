#include "parsimony/run/texts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "core/count_of.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/run/text_network.hpp"

namespace parsimony::run {
namespace {

void softmax_rows(Matrix<float>& scores) {
  for (std::int64_t r = 0; r < scores.rows(); ++r) {
    const std::span<float> row = scores.row(r);
    const float most = *std::max_element(row.begin(), row.end());
    double sum = 0;
    for (float& value : row) sum += value = std::exp(value - most);
    for (float& value : row) value = static_cast<float>(value / sum);
  }
}

float cosine(std::span<const float> a, std::span<const float> b) {
  double product = 0, of_a = 0, of_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    product += static_cast<double>(a[i]) * b[i];
    of_a += static_cast<double>(a[i]) * a[i];
    of_b += static_cast<double>(b[i]) * b[i];
  }
  return of_a == 0 || of_b == 0 ? 0 : static_cast<float>(product / std::sqrt(of_a * of_b));
}

// A run from the file of the model on.
class TextRunner {
 public:
  TextRunner(const std::filesystem::path& model, const TextOptions& options, const Context& context)
      : options_(options), context_(context) {
    validate_fields(options);
    out_.report = make_report("run", context, 0);
    record_options(out_.report, options);
    StageTimer timer(out_.report, "load");
    TextNetwork loaded = load_text_network(model, options.load, context);
    network_.emplace(std::move(loaded.network));
    tokenizer_.emplace(std::move(loaded.tokenizer));
    out_.config = network_->config();
    classes_ = options.result == TextResult::classes ||
               (options.result == TextResult::automatic && network_->classes() > 0);
    if (classes_ && network_->classes() == 0) {
      refuse(fmt::format("result: is classes; {} has no classification head", model.string()));
    }
    most_ = options.max_tokens > 0 ? std::min(options.max_tokens, out_.config.longest_text())
                                   : out_.config.longest_text();
  }

  bool classes() const { return classes_; }

  /// encode(i, limit): tokens of text i.
  TextRun run(std::int64_t count,
              const std::function<data::EncodedText(const data::SentenceTokenizer&, std::int64_t i,
                                                    std::int64_t limit)>& encode) {
    if (count == 0) refuse("texts: there are none; must be at least one");
    std::vector<data::EncodedText> texts(count);
    std::int64_t shortened = 0;
    {
      const StageTimer timer(out_.report, "tokenize");
      for (std::int64_t i = 0; i < count; ++i) {
        texts[i] = encode(*tokenizer_, i, 0);
        if (static_cast<std::int64_t>(texts[i].tokens.size()) > most_) {
          texts[i] = encode(*tokenizer_, i, most_);
          ++shortened;
        }
        if (out_.config.token_types == 1) texts[i].types.clear();
        out_.tokens.push_back(static_cast<std::int64_t>(texts[i].tokens.size()));
      }
    }
    if (shortened > 0) {
      context_.log(LogLevel::warning,
                   fmt::format("{} of {} {} more than {}: {} cut off", shortened, count_of(count, "text"),
                               noun_of(shortened, "has", "have"), count_of(most_, "token"),
                               noun_of(shortened, "its end is", "their ends are")));
    }
    StageTimer timer(out_.report, "run");
    Session session(*network_, options_.session);
    add_figures(session, shortened);
    if (classes_) {
      out_.probabilities = session.classify(texts, context_);
      softmax_rows(out_.probabilities);
      out_.labels = out_.config.labels;
      if (static_cast<std::int64_t>(out_.labels.size()) != network_->classes()) {
        out_.labels.clear();
        for (std::int64_t i = 0; i < network_->classes(); ++i) out_.labels.push_back(std::to_string(i));
      }
    } else {
      out_.vectors = session.embed(texts, context_);
    }
    timer.finish();
    return std::move(out_);
  }

 private:
  void add_figures(const Session& session, std::int64_t shortened) {
    std::int64_t all = 0;
    for (const std::int64_t count : out_.tokens) all += count;
    const std::int64_t longest = *std::max_element(out_.tokens.begin(), out_.tokens.end());
    const std::int64_t together = std::min(all, std::max(longest, options_.session.batch_tokens));
    auto& figures = out_.report.figures;
    figures.emplace_back("precision", std::string(enum_name(network_->precision())));
    figures.emplace_back("weight_bytes", network_->bytes());
    figures.emplace_back("activation_bytes", session.planned_bytes(together, longest, context_.threads()));
    figures.emplace_back("weights_in_codes", network_->in_codes());
    figures.emplace_back("tokens", all);
    figures.emplace_back("shortened_texts", shortened);
  }

  const TextOptions& options_;
  const Context& context_;
  TextRun out_;
  std::optional<Network> network_;
  std::optional<data::SentenceTokenizer> tokenizer_;
  bool classes_ = false;
  std::int64_t most_ = 0;
};

}  // namespace

TextRun run_texts(const std::filesystem::path& model, std::span<const std::string> texts,
                  const TextOptions& options, const Context& context) {
  TextRunner runner(model, options, context);
  TextRun out = runner.run(static_cast<std::int64_t>(texts.size()),
                           [&](const data::SentenceTokenizer& tokenizer, std::int64_t i, std::int64_t limit) {
                             return tokenizer.encode(texts[i], limit);
                           });
  for (std::int64_t i = 0; i < out.vectors.rows(); ++i) {
    out.similarities.push_back(cosine(out.vectors.row(0), out.vectors.row(i)));
  }
  return out;
}

TextRun run_pairs(const std::filesystem::path& model,
                  std::span<const std::pair<std::string, std::string>> pairs, const TextOptions& options,
                  const Context& context) {
  TextRunner runner(model, options, context);
  const auto count = static_cast<std::int64_t>(pairs.size());
  if (runner.classes()) {
    return runner.run(count,
                      [&](const data::SentenceTokenizer& tokenizer, std::int64_t i, std::int64_t limit) {
                        return tokenizer.encode_pair(pairs[i].first, pairs[i].second, limit);
                      });
  }
  TextRun out = runner.run(
      2 * count, [&](const data::SentenceTokenizer& tokenizer, std::int64_t i, std::int64_t limit) {
        return tokenizer.encode(i % 2 == 0 ? pairs[i / 2].first : pairs[i / 2].second, limit);
      });
  std::vector<std::int64_t> tokens(count);
  for (std::int64_t i = 0; i < count; ++i) {
    tokens[i] = out.tokens[2 * i] + out.tokens[2 * i + 1];
    out.similarities.push_back(cosine(out.vectors.row(2 * i), out.vectors.row(2 * i + 1)));
  }
  out.tokens = std::move(tokens);
  return out;
}

}  // namespace parsimony::run
