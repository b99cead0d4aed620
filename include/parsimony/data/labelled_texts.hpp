// Sentences, or pairs of sentences, with labels or scores from tables: the layouts of GLUE, SICK and STS.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"

namespace parsimony::data {

/// The columns of a table whose columns are separated by tabs.
enum class TextLayout {
  header,  ///< the first line names them: SST-2, RTE, MNLI, SICK, STS
  cola     ///< no header: source, label, mark, sentence
};

constexpr auto names_of(TextLayout) {
  using enum TextLayout;
  return enum_names<TextLayout>({{header, "header"}, {cola, "cola"}});
}

enum class TextTarget {
  label,  ///< the class of a text
  score   ///< a number, as the similarity of two sentences
};

constexpr auto names_of(TextTarget) {
  using enum TextTarget;
  return enum_names<TextTarget>({{label, "label"}, {score, "score"}});
}

struct LabelledTexts {
  std::vector<std::string> first;
  std::vector<std::string> second;  ///< empty for single sentences
  std::vector<std::string> labels;  ///< empty with scores
  std::vector<double> scores;       ///< empty with labels

  std::int64_t size() const { return std::ssize(first); }
};

/// Reads a table, plain or compressed. With a header the columns are found by their names:
///   text    sentence, sentence1, premise or sentence_A, and for pairs sentence2, hypothesis or sentence_B
///   label   label, gold_label or entailment_label
///   score   score, similarity or relatedness_score
/// Quotes are text, as in GLUE. Throws io; format for a header without such a column (or with two), a line
/// with another number of columns, a label that is empty and a score that is not a number, with the line.
LabelledTexts read_labelled_texts(const std::filesystem::path& path, TextLayout layout = TextLayout::header,
                                  TextTarget target = TextTarget::label, const Context& context = Context{});

}  // namespace parsimony::data
