#include "parsimony/data/word_dictionary.hpp"

#include <gtest/gtest.h>

#include <string>

#include "expect_error.hpp"
#include "temporary_directory.hpp"

namespace parsimony::data::word_dictionary_test {
namespace {

using Tokens = std::vector<std::int32_t>;

// As fairseq's Dictionary.encode_line numbers them: four special tokens, then the lines of the file.
TEST(WordDictionary, WordsHaveTheNumbersOfTheirLines) {
  const TemporaryDirectory directory;
  const WordDictionary words =
      read_word_dictionary(directory.file("dict.txt", "the 9\nof 7\r\n@-@ 2\nédition 1"));
  EXPECT_EQ(words.size(), 8);
  EXPECT_EQ(words.word(4), "the");
  EXPECT_EQ(words.word(7), "édition");
  EXPECT_EQ(words.word(2), "</s>");
  EXPECT_EQ(words.encode(" the  édition\tof <unk> things \n\nof\r\nthe"),
            (Tokens{4, 7, 5, 3, 3, 2, 2, 5, 2, 4, 2}));
  EXPECT_EQ(words.encode(""), Tokens{});
  EXPECT_EQ(words.encode("</s> <pad>"), (Tokens{2, 1, 2}));
  expect_error(ErrorCode::invalid_argument, "token 8: there are the tokens 0 to 7", [&] { words.word(8); });
}

TEST(WordDictionary, RefusesLinesOfAnotherForm) {
  const TemporaryDirectory directory;
  const auto refuses = [&](const std::string& text, const char* what) {
    expect_error(ErrorCode::format, what, [&] { read_word_dictionary(directory.file("d", text)); });
  };
  refuses("a 1\nb\n", "line 2 must be a word, a blank and its count");
  refuses("a 1\n 2\n", "line 2 must be");
  refuses("a 1\nb x\n", "line 2 must be");
  refuses("a 1\n\nb 1\n", "line 2 must be");
  refuses("a 1\nb 1\na 1\n", "line 3 has a word again");
  refuses("<unk> 1\n", "line 1 has a word again");
  refuses("", "has no word");
  expect_error(ErrorCode::io, "none", [&] { read_word_dictionary(directory / "none"); });
}

}  // namespace
}  // namespace parsimony::data::word_dictionary_test
