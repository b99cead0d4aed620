#include "parsimony/data/labelled_texts.hpp"

#include <gtest/gtest.h>

#include "expect_error.hpp"
#include "temporary_directory.hpp"

namespace parsimony::data::labelled_texts_test {
namespace {

using Texts = std::vector<std::string>;

TEST(LabelledTexts, ColumnsAreFoundByTheirNames) {
  const TemporaryDirectory directory;
  const auto sst2 =
      read_labelled_texts(directory.file("a.tsv", "sentence\tlabel\na \"good one\t1\r\nbad\t0\n"));
  EXPECT_EQ(sst2.first, (Texts{"a \"good one", "bad"}));
  EXPECT_TRUE(sst2.second.empty());
  EXPECT_EQ(sst2.labels, (Texts{"1", "0"}));
  const auto rte = read_labelled_texts(
      directory.file("b.tsv", "index\tsentence1\tsentence2\tlabel\n0\tA b\tC\tentailment\n"));
  EXPECT_EQ(rte.first, Texts{"A b"});
  EXPECT_EQ(rte.second, Texts{"C"});
  EXPECT_EQ(rte.labels, Texts{"entailment"});
  // MNLI has a column of each annotator, and the label of most of them.
  const auto mnli = read_labelled_texts(directory.file(
      "c.tsv", "pairID\tsentence1\tsentence2\tlabel1\tgold_label\n7\tx\ty\tneutral\tentailment\n"));
  EXPECT_EQ(mnli.labels, Texts{"entailment"});
  const std::string sick = "sentence1\tsentence2\tlabel\tscore\np\tq\tneutral\t3.5\nr\ts\tneutral\t1\n";
  const auto scores =
      read_labelled_texts(directory.file("d.tsv", sick), TextLayout::header, TextTarget::score);
  EXPECT_EQ(scores.scores, (std::vector<double>{3.5, 1}));
  EXPECT_TRUE(scores.labels.empty());
  const auto cola = read_labelled_texts(
      directory.file("e.tsv", "gj04\t1\t\tHe ran.\ngj04\t0\t*\tRan he him.\n"), TextLayout::cola);
  EXPECT_EQ(cola.first, (Texts{"He ran.", "Ran he him."}));
  EXPECT_EQ(cola.labels, (Texts{"1", "0"}));
}

TEST(LabelledTexts, WrongTablesAreRefusedWithTheLine) {
  const TemporaryDirectory directory;
  const auto refused = [&](const char* text, const char* piece, TextTarget target = TextTarget::label) {
    const auto path = directory.file("table.tsv", text);
    expect_error(ErrorCode::format, piece, [&] { read_labelled_texts(path, TextLayout::header, target); });
  };
  refused("", "has no line of text");
  refused("sentence\tlabel\n", "has no line of text");
  refused("index\tsentence\n0\ta\n", "line 1: names the columns index, sentence; must have one of label");
  refused("text\tlabel\n", "must have one of sentence, sentence1");
  refused("sentence\tpremise\tlabel\n", "the columns sentence and premise have the same meaning");
  refused("sentence\tlabel\na\t1\nb\n", "line 3: has 1 column; must have 2");
  refused("sentence\tlabel\na\t\n", "line 2: the label is empty");
  refused("sentence\tscore\na\t1\nb\t1x\n", "line 3: the score is \"1x\"", TextTarget::score);
  refused("sentence\tscore\na\tnan\n", "the score is \"nan\"", TextTarget::score);
  const auto path = directory.file("cola.tsv", "a\tb\n");
  expect_error(ErrorCode::format, "line 1: has 2 columns; must have 4",
               [&] { read_labelled_texts(path, TextLayout::cola); });
  expect_error(ErrorCode::invalid_argument, "has no scores",
               [&] { read_labelled_texts(path, TextLayout::cola, TextTarget::score); });
}

}  // namespace
}  // namespace parsimony::data::labelled_texts_test
