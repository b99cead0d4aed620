#include "parsimony/data/sentence_tokenizer.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "data/byte_pair_files.hpp"
#include "data/text/characters.hpp"
#include "expect_error.hpp"
#include "places.hpp"
#include "temporary_directory.hpp"

namespace parsimony::data::sentence_tokenizer_test {
namespace {

using Tokens = std::vector<std::int32_t>;
using Json = nlohmann::json;

const std::filesystem::path kReferences = places::source_folder() / "tests/data/references";
const char* const kVocabulary =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##aff\n##able\n##a\nable\n!\nuna\nÉ\ne\n中\n";

Json reference(const std::string& file) {
  return Json::parse(std::ifstream(kReferences / file));
}

// Texts of several scripts, special names, white space and lengths at the limit of a word, with the tokens of
// the package `tokenizers`: see references/compare.py.
TEST(SentenceTokenizer, TokensAreThoseOfThePackage) {
  const Json expected = reference("tokenizers.json");
  for (const char* kind : {"bert", "roberta"}) {
    const Json& wanted = expected[kind];
    const SentenceTokenizer tokenizer = load_tokenizer(kReferences / (std::string(kind) + "-tokenizer.json"));
    EXPECT_EQ(tokenizer.vocabulary(), wanted["vocabulary"].get<std::int64_t>());
    for (const Json& text : wanted["texts"]) {
      EXPECT_EQ(tokenizer.encode(text["text"].get<std::string>()).tokens, text["tokens"].get<Tokens>())
          << kind << ": " << text["text"];
    }
    for (const Json& pair : wanted["pairs"]) {
      const EncodedText found =
          tokenizer.encode_pair(pair["first"].get<std::string>(), pair["second"].get<std::string>(),
                                pair["length"].get<std::int64_t>());
      EXPECT_EQ(found.tokens, pair["tokens"].get<Tokens>()) << kind << ": " << pair;
      EXPECT_EQ(found.types, pair["types"].get<Tokens>()) << kind << ": " << pair;
    }
  }
}

TEST(SentenceTokenizer, WordPiecesAreTheLongestFromTheLeft) {
  const TemporaryDirectory directory;
  const SentenceTokenizer tokenizer = load_tokenizer(directory.file("vocab.txt", kVocabulary).parent_path());
  EXPECT_EQ(tokenizer.vocabulary(), 15);
  // "una" is longer than "un", after which "##ffable" has no pieces: the whole word is unknown.
  EXPECT_EQ(tokenizer.tokens_of("unable unaffable unaffablea"), (Tokens{1, 1, 1}));
  EXPECT_EQ(tokenizer.tokens_of("ABLE!able[MASK]"), (Tokens{9, 10, 9, 4}));
  EXPECT_EQ(tokenizer.tokens_of("unaable\xFF!"), (Tokens{11, 7, 10}));
  EXPECT_EQ(tokenizer.tokens_of("e\u0301\u00e9 E\u00c9"), (Tokens{1, 1}));
  EXPECT_EQ(tokenizer.tokens_of("\u00e9\u4e2d\u00c9"), (Tokens{13, 14, 13}));
  const EncodedText text = tokenizer.encode("able able able", 4);
  EXPECT_EQ(text.tokens, (Tokens{2, 9, 9, 3}));
  EXPECT_EQ(text.types, (Tokens{0, 0, 0, 0}));
  const EncodedText pair = tokenizer.encode_pair("able", "! able");
  EXPECT_EQ(pair.tokens, (Tokens{2, 9, 3, 10, 9, 3}));
  EXPECT_EQ(pair.types, (Tokens{0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(tokenizer.encode_pair("able", "able", 3).tokens, (Tokens{2, 3, 3}));
  expect_error(ErrorCode::invalid_argument, "2 is fewer than the 3 special tokens",
               [&] { tokenizer.encode_pair("able", "able", 2); });
  EXPECT_EQ(tokenizer.name(6), "##aff");
  EXPECT_EQ(tokenizer.token("##aff"), 6);
  EXPECT_EQ(tokenizer.token("nothing"), kNoToken);
  expect_error(ErrorCode::invalid_argument, "0 to 14", [&] { static_cast<void>(tokenizer.name(15)); });
  EXPECT_EQ(tokenizer.special().padding, 0);
  EXPECT_EQ(tokenizer.special().mask, 4);
}

TEST(SentenceTokenizer, ACasedVocabularyKeepsCaseAndAccents) {
  const TemporaryDirectory directory;
  directory.file("vocab.txt", kVocabulary);
  directory.file("tokenizer_config.json", R"({"do_lower_case": false})");
  const SentenceTokenizer tokenizer = load_tokenizer(directory.path());
  EXPECT_EQ(tokenizer.tokens_of("\u00c9 e ABLE"), (Tokens{12, 13, 1}));
}

TEST(SentenceTokenizer, RobertaReadsItsTwoFiles) {
  const TemporaryDirectory directory;
  const BytePairFiles files(directory, {{"a", "b"}, {" ", "ab"}});
  Json table = Json::parse(std::ifstream(files.encoder));
  for (const char* name : {"<s>", "<pad>", "</s>", "<unk>", "<mask>"}) {
    const std::size_t next = table.size();
    table[name] = next;
  }
  directory.file("vocab.json", table.dump());
  directory.file("merges.txt", TemporaryDirectory::content(files.merges));
  const SentenceTokenizer tokenizer = load_tokenizer(directory.path());
  EXPECT_EQ(tokenizer.encode("ab ab").tokens, (Tokens{258, 256, 257, 260}));
  EXPECT_EQ(tokenizer.encode_pair("a", "b").tokens, (Tokens{258, 'a', 260, 260, 'b', 260}));
  EXPECT_EQ(tokenizer.encode_pair("a", "b").types, (Tokens{0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(tokenizer.tokens_of("a \t<mask> b\xFF"), (Tokens{'a', 262, ' ', 'b', 0xFF}));
  EXPECT_EQ(tokenizer.special().unknown, 261);
  table.erase("<mask>");
  directory.file("vocab.json", table.dump());
  expect_error(ErrorCode::format, "there is no token <mask>", [&] { load_tokenizer(directory.path()); });
}

TEST(SentenceTokenizer, OtherModelsAreRefusedWithTheField) {
  const Json bert = reference("bert-tokenizer.json"), roberta = reference("roberta-tokenizer.json");
  const TemporaryDirectory directory;
  const auto refused = [&](const Json& from, const char* pointer, const Json& value, ErrorCode code,
                           const char* piece) {
    Json changed = from;
    changed[Json::json_pointer(pointer)] = value;
    const auto path = directory.file("tokenizer.json", changed.dump());
    expect_error(code, piece, [&] { load_tokenizer(path); });
  };
  const auto unsupported = ErrorCode::unsupported, format = ErrorCode::format;
  refused(bert, "/model/type", "Unigram", unsupported, "\"model.type\" is \"Unigram\"");
  refused(bert, "/normalizer/type", "Sequence", unsupported,
          "\"normalizer\" must have the type BertNormalizer");
  refused(bert, "/pre_tokenizer/type", "Whitespace", unsupported, "\"pre_tokenizer\" must have the type");
  refused(bert, "/post_processor/type", "Sequence", unsupported, "\"post_processor\" has the type Sequence");
  refused(bert, "/model/unk_token", "nothing", format, "\"nothing\", which is not in the vocabulary");
  refused(bert, "/model/max_input_chars_per_word", -1, format, "max_input_chars_per_word\" must be a whole");
  refused(bert, "/normalizer/lowercase", 1, format, "\"normalizer.lowercase\" must be true or false");
  refused(bert, "/added_tokens/1/single_word", true, unsupported, "\"added_tokens[1].single_word\"");
  refused(bert, "/added_tokens/1/normalized", true, unsupported, "\"added_tokens[1].normalized\"");
  refused(bert, "/added_tokens/1/id", 0, format, "\"added_tokens[1].id\" is 0");
  refused(bert, "/added_tokens/1/content", "new", format, "the number 1");
  refused(bert, "/model/vocab/[PAD]", 7, format, "has the number 7");
  refused(bert, "/post_processor/single", Json::array(), format, "must have the sequence A once");
  refused(bert, "/post_processor/special_tokens/[CLS]/ids/0", 1 << 20, format,
          "must be a whole number of 0 to");
  refused(roberta, "/model/dropout", 0.1, unsupported, "\"model.dropout\" is 0.1");
  refused(roberta, "/model/byte_fallback", true, unsupported, "\"model.byte_fallback\"");
  refused(roberta, "/normalizer", {{"type", "NFC"}}, unsupported, "\"normalizer\" must be null");
  refused(roberta, "/pre_tokenizer/type", "Metaspace", unsupported,
          "\"pre_tokenizer\" must have the type ByteLevel");
  refused(roberta, "/model/merges/3", "ab", format, "\"model.merges[3]\" must be two tokens");
  refused(roberta, "/model/merges/3", {"a", "zq"}, format, "entry 3: merges what is not among the tokens");
  refused(roberta, "/model", nullptr, format, "\"model\"");
}

TEST(SentenceTokenizer, FilesThatAreNoneAreRefused) {
  const TemporaryDirectory directory;
  expect_error(ErrorCode::io, "has no tokenizer.json, vocab.json (with merges.txt) or vocab.txt",
               [&] { load_tokenizer(directory.path()); });
  for (const char* text : {"", "[]", "{}", "{\"a\": 1", "\xFF"}) {
    const auto path = directory.file("some.json", text);
    expect_error(ErrorCode::format, "must be a tokenizer.json", [&] { load_tokenizer(path); });
  }
  const auto nested = directory.file("some.json", std::string(100000, '['));
  expect_error(ErrorCode::format, "must be a tokenizer.json", [&] { load_tokenizer(nested); });
  const auto twice = directory.file("vocab.txt", "[PAD]\n[UNK]\n[PAD]\n");
  expect_error(ErrorCode::format, "line 3 repeats line 1", [&] { load_tokenizer(twice); });
  const auto empty = directory.file("vocab.txt", "[PAD]\n\n[UNK]\n");
  expect_error(ErrorCode::format, "line 2 is empty", [&] { load_tokenizer(empty); });
  const auto few = directory.file("vocab.txt", "[PAD]\r\n[UNK]\r\n");
  expect_error(ErrorCode::format, "there is no token [CLS]", [&] { load_tokenizer(few); });
}

// Hangul by its formula, and characters whose pieces change the case.
TEST(Characters, AreDecomposedAndLowered) {
  EXPECT_EQ(without_marks(U'\u00c9'), U"E");
  EXPECT_EQ(without_marks(U'\u0301'), U"");
  EXPECT_EQ(without_marks(U'\uac01'), U"\u1100\u1161\u11a8");
  EXPECT_EQ(without_marks(U'\uac00'), U"\u1100\u1161");
  EXPECT_EQ(without_marks(U'\u212b'), U"A");
  EXPECT_EQ(without_marks(U'\uf900'), U"\u8c48");
  EXPECT_EQ(without_marks(U'x'), U"x");
  EXPECT_EQ(lower_case(U'\u0130'), U"i\u0307");
  EXPECT_EQ(lower_case(U'\u0100'), U"\u0101");
  EXPECT_EQ(lower_case(U'\u0101'), U"\u0101");
  EXPECT_EQ(lower_case(U'\u0391'), U"\u03b1");
  EXPECT_EQ(lower_case(U'\U00010400'), U"\U00010428");
  for (const char32_t c : {U'a', U'\u00ff', U'\u0100', U'\uffff', U'\U00010000', U'\U0010ffff'}) {
    std::string text;
    append_utf8(text, c);
    EXPECT_EQ(first_code_point(text).value, c);
    EXPECT_EQ(first_code_point(text).length, text.size());
  }
}

}  // namespace
}  // namespace parsimony::data::sentence_tokenizer_test
