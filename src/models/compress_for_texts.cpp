#include "parsimony/models/compress_for_texts.hpp"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "models/sentence_inputs.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/data/sentence_tokenizer.hpp"
#include "parsimony/models/bert.hpp"
#include "parsimony/models/weights.hpp"
#include "parsimony/quant/compact_file.hpp"
#include "parsimony/quant/decode.hpp"
#include "parsimony/train/input_moments.hpp"
#include "quant/file/memory_file.hpp"

namespace parsimony::models {
namespace {

using Moments = std::map<std::string, train::InputMoments>;

// The configuration with the head that the file has.
BertOptions options_of(const SafetensorsFile& file, const std::filesystem::path& config) {
  const TensorView* classifier = file.find("classifier.weight");
  if (classifier == nullptr) classifier = file.find("classifier.out_proj.weight");
  const bool language = file.find("cls.predictions.bias") != nullptr || file.find("lm_head.bias") != nullptr;
  const EncoderHead head = classifier != nullptr ? EncoderHead::classification
                           : language            ? EncoderHead::masked_language
                                                 : EncoderHead::none;
  BertOptions out = read_bert_config(config, head, file.find("pooler.dense.weight") != nullptr);
  if (classifier != nullptr && !classifier->shape.empty()) out.classes = classifier->shape[0];
  return out;
}

std::vector<data::EncodedText> read_texts(const TextCorrectionOptions& options,
                                          const std::filesystem::path& tokenizer, const Context& context) {
  const std::string text = read_file(options.texts, 0, context.stop);
  std::vector<std::string_view> lines;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (end > 0) lines.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (lines.empty()) refuse(fmt::format("texts: {} has no line of text", options.texts.string()));
  const data::SentenceTokenizer encode = data::load_tokenizer(tokenizer);
  const std::int64_t all = std::ssize(lines);
  const std::int64_t count = options.sentences == 0 ? all : std::min(options.sentences, all);
  std::vector<data::EncodedText> out;
  for (std::int64_t k = 0; k < count; ++k) {
    out.push_back(encode.encode(lines[k * all / count], options.max_length));
  }
  return out;
}

// Only texts of one length are a batch: the mean of the inputs has no padding in it.
Moments measure(Bert& model, std::vector<data::EncodedText> texts, const Context& context) {
  std::map<std::size_t, std::vector<data::EncodedText>> by_length;
  for (data::EncodedText& text : texts) by_length[text.tokens.size()].push_back(std::move(text));
  model.eval();
  return train::input_moments(model, [&] {
    for (const auto& [length, same] : by_length) {
      for_each_batch(same, model.options().padding_token, "measure", context,
                     [&](const torch::Tensor& inputs, std::span<const std::int64_t>) {
                       model.forward(inputs.select(1, 0), inputs.select(1, 1));
                     });
    }
  });
}

// The moments of linear layers in the form of a calibration file.
SafetensorsFile calibration_of(const Moments& moments) {
  std::vector<TensorView> views;
  for (const auto& [layer, values] : moments) {
    if (values.mean.empty()) continue;
    views.push_back({{layer + ".input_second_moment", DType::float32, {std::ssize(values.second)}},
                     {reinterpret_cast<const std::uint8_t*>(values.second.data()),
                      values.second.size() * sizeof(float)}});
  }
  return quant::safetensors_in_memory(views, "inputs of the layers on the texts");
}

// b + (W − Ŵ) E[x] of the linear layers in codes that have a bias.
quant::TensorValues corrected(Bert& model, const quant::CompactModel& codes, const Moments& moments) {
  const torch::NoGradGuard no_gradient;
  const auto parameters = model.named_parameters();
  quant::TensorValues out;
  for (const auto& [layer, values] : moments) {
    const torch::Tensor* weight = parameters.find(layer + ".weight");
    const torch::Tensor* bias = parameters.find(layer + ".bias");
    const quant::QuantizedTensor* quantized = codes.find_weight(layer + ".weight");
    const auto& others = codes.recipe.others;
    const bool stored = std::any_of(others.begin(), others.end(),
                                    [&, name = layer + ".bias"](const auto& o) { return o.name == name; });
    if (values.mean.empty() || weight == nullptr || bias == nullptr || quantized == nullptr || !stored)
      continue;
    std::vector<float> decoded = quant::decode(*quantized);
    const torch::Tensor change = *weight - torch::from_blob(decoded.data(), weight->sizes(), torch::kFloat);
    const torch::Tensor mean = torch::tensor(values.mean);
    const torch::Tensor moved =
        (*bias + change.to(torch::kDouble).mv(mean.to(torch::kDouble))).to(torch::kFloat).contiguous();
    out.emplace_back(layer + ".bias",
                     std::vector<float>(moved.data_ptr<float>(), moved.data_ptr<float>() + moved.numel()));
  }
  return out;
}

}  // namespace

quant::Compression compress_for_texts(const std::filesystem::path& model, const OutputPath& output,
                                      const quant::CompressOptions& options,
                                      const TextCorrectionOptions& correction, const Context& context) {
  validate_fields(correction);
  if (correction.texts.empty()) refuse("texts: must name a file of texts");
  if (options.share != quant::LayerSharing::none || options.prune != quant::LayerPruning::none) {
    refuse("texts: share and prune change the network; leave them out");
  }
  torch::set_num_threads(context.threads());
  Report before;
  StageTimer reading(before, "read");
  const SafetensorsFile file(model, context);
  if (quant::is_compact_file(file)) {
    throw Error(ErrorCode::format,
                fmt::format("{}: is a compact file; must be the float network", file.name()));
  }
  const std::filesystem::path config =
      correction.config.empty() ? model.parent_path() / "config.json" : correction.config;
  Bert network(options_of(file, config));
  load_weights(network, model);
  std::vector<data::EncodedText> texts = read_texts(
      correction, correction.tokenizer.empty() ? config.parent_path() : correction.tokenizer, context);
  const std::int64_t count = std::ssize(texts);
  reading.finish();
  StageTimer measuring(before, "measure");
  const Moments moments = measure(network, std::move(texts), context);
  measuring.finish();
  quant::CompressOptions by_texts = options;
  if (!by_texts.calibration) by_texts.calibration = calibration_of(moments);
  std::int64_t changed = 0;
  by_texts.correct = [&](const quant::CompactModel& codes) {
    quant::TensorValues values = corrected(network, codes, moments);
    changed = std::ssize(values);
    return values;
  };
  quant::Compression out = quant::compress(quant::ModelTensors(file), output, by_texts, context);
  add_before(out.report, before);
  out.report.figures.emplace_back("texts", count);
  if (!options.dry_run) out.report.figures.emplace_back("corrected_tensors", changed);
  return out;
}

}  // namespace parsimony::models
