// Compresses BERT or RoBERTa and puts it right by some texts without labels. Nothing of LibTorch in it.
#pragma once

#include <cstdint>
#include <filesystem>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"
#include "parsimony/quant/compress.hpp"

namespace parsimony::models {

struct TextCorrectionOptions {
  std::filesystem::path texts{};      ///< texts like those that the network will see, one a line
  std::filesystem::path tokenizer{};  ///< folder or file, see data::load_tokenizer; empty: beside `config`
  std::filesystem::path config{};     ///< config.json of the network; empty: beside the model
  /// Most texts that are read, evenly spaced in the file; 0: all. The means of 128 are enough; time grows
  /// with them.
  std::int64_t sentences = 128;
  std::int64_t max_length = 128;  ///< most tokens of a text; longer ones are cut
};

template <OptionsOf<TextCorrectionOptions> Options, class Visitor>
void describe(Options& options, Visitor&& visit) {
  visit(Field{"texts", "text file, one a line, without labels, by which biases are put right"},
        options.texts);
  visit(Field{"tokenizer",
              "folder with tokenizer.json, vocab.txt, or vocab.json and merges.txt; empty: beside config"},
        options.tokenizer);
  visit(Field{"config", "config.json of BERT or RoBERTa; empty: beside the model"}, options.config);
  visit(Field{"sentences", "most texts that are read, evenly spaced", 1, 1e9, "all", 0}, options.sentences);
  visit(Field{"max_length", "most tokens of a text", 8, 1 << 20}, options.max_length);
}

/// quant::compress with two steps by texts, which the float network sees first:
///  - the second moments of the inputs of its linear layers are the calibration, if the options have none;
///  - the bias of each linear layer in codes takes up what the codes shift the outputs on average: it becomes
///    b + (W − Ŵ) E[x] [nagel2019datafree, section 4.2, with means that are measured].
///
/// The head follows from the file: classification, masked language, or none.
///
/// report: stages read, measure, plan, quantize, write; figures "texts" and "corrected_tensors". Time: one
/// forward pass of the texts. The same bytes on one machine with one LibTorch and number of threads.
///
/// Throws what quant::compress, load_weights, read_bert_config and data::load_tokenizer throw;
/// invalid_argument (no texts; more tokens than positions); unsupported (a model that is not one plain
/// safetensors file).
quant::Compression compress_for_texts(const std::filesystem::path& model, const OutputPath& output,
                                      const quant::CompressOptions& options,
                                      const TextCorrectionOptions& correction,
                                      const Context& context = Context{});

}  // namespace parsimony::models
