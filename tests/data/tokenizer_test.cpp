#include "parsimony/data/tokenizer.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "data/byte_pair_files.hpp"
#include "data/text/words.hpp"
#include "expect_error.hpp"
#include "parsimony/core/random.hpp"
#include "places.hpp"
#include "temporary_directory.hpp"

namespace parsimony::data::tokenizer_test {
namespace {

using Tokens = std::vector<std::int32_t>;
using Words = std::vector<std::string>;

const std::filesystem::path kText = places::data_folder() / "text";

const Merges kPairs = {{"a", "b"},  {"b", "a"},   {"ab", "a"}, {"a", "a"},
                       {" ", "ab"}, {"aa", "aa"}, {"ab", "ab"}};

Words words(std::string_view text) {
  Words out;
  while (!text.empty()) {
    out.emplace_back(text.substr(0, first_word(text)));
    text.remove_prefix(out.back().size());
  }
  return out;
}

std::string random_text(std::size_t size, std::string_view letters, std::uint64_t seed) {
  const RandomStream draws(seed, "test.text");
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out += letters[draws.below(letters.size(), i)];
  return out;
}

std::string random_bytes(std::size_t size, std::uint64_t seed) {
  const RandomStream draws(seed, "test.bytes");
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(draws.below(256, i));
  return out;
}

TEST(Tokenizer, BytesAreTokens) {
  const Tokenizer bytes;
  EXPECT_EQ(bytes.vocabulary(), 256);
  EXPECT_EQ(bytes.encode("A\n\xFF"), (Tokens{65, 10, 255}));
  const std::string text = random_bytes(5000, 1);
  EXPECT_EQ(bytes.decode(bytes.encode(text)), text);
  EXPECT_TRUE(bytes.encode("").empty());
  expect_error(ErrorCode::invalid_argument, "0 to 255", [&] { bytes.decode(Tokens{3, 256}); });
  expect_error(ErrorCode::invalid_argument, "token -1", [&] { bytes.bytes(-1); });
}

// By hand from the pattern.
TEST(Tokenizer, WordsEndWhereThePatternSays) {
  EXPECT_EQ(words("Hello world, it's 42nd!"), (Words{"Hello", " world", ",", " it", "'s", " 42", "nd", "!"}));
  EXPECT_EQ(words("a  b   \n c \n"), (Words{"a", " ", " b", "   \n", " c", " \n"}));
  EXPECT_EQ(words("don't I'LL we've 'tis"), (Words{"don", "'t", " I", "'", "LL", " we", "'ve", " '", "tis"}));
  EXPECT_EQ(words(" "), (Words{" "}));
  EXPECT_EQ(words("\t\tx"), (Words{"\t", "\t", "x"}));
  EXPECT_EQ(words("x=-1;"), (Words{"x", "=-", "1", ";"}));
  // Letters, numbers and spaces beyond ASCII: é, 日本, ½ and Ⅷ, a no-break space, and a mark, which is not a
  // letter.
  EXPECT_EQ(words("caf\u00e9 \u65e5\u672c"), (Words{"caf\u00e9", " \u65e5\u672c"}));
  EXPECT_EQ(words("x\u00bd\u2167y"), (Words{"x", "\u00bd\u2167", "y"}));
  EXPECT_EQ(words("a\u00a0b"), (Words{"a", "\u00a0", "b"}));
  EXPECT_EQ(words("a\u0301b"), (Words{"a", "\u0301", "b"}));
  EXPECT_EQ(words("\U00020000\U0001F600"), (Words{"\U00020000", "\U0001F600"}));
}

// Overlong, half of a pair, beyond Unicode, without an end: signs, byte by byte.
TEST(Tokenizer, BytesThatAreNoCharactersAreSigns) {
  for (const std::string broken : {"\xC0\xA0", "\xE0\x81\x81", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xC3",
                                   "\x80", "\xF0\x9F\x98", "\xFF"}) {
    EXPECT_EQ(words("ab" + broken + " x"), (Words{"ab", broken, " x"})) << testing::PrintToString(broken);
  }
}

// The words by the most urgent pair that is left, everywhere, one rank after the other, as GPT-2 has it.
Tokens naive(const std::string& text) {
  Tokens out;
  for (const std::string& word : words(text)) {
    Words parts;
    for (const char c : word) parts.emplace_back(1, c);
    std::size_t rank = 0;
    while (rank < kPairs.size()) {
      const auto& [a, b] = kPairs[rank];
      Words next;
      for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i + 1 < parts.size() && parts[i] == a && parts[i + 1] == b) {
          next.push_back(a + b);
          ++i;
        } else {
          next.push_back(parts[i]);
        }
      }
      rank = next.size() < parts.size() ? 0 : rank + 1;
      parts = next;
    }
    for (const std::string& part : parts) {
      const auto pair = std::find_if(kPairs.begin(), kPairs.end(),
                                     [&](const auto& p) { return p.first + p.second == part; });
      out.push_back(part.size() == 1 ? static_cast<unsigned char>(part[0])
                                     : 256 + static_cast<std::int32_t>(pair - kPairs.begin()));
    }
  }
  return out;
}

TEST(Tokenizer, MergesTheMostUrgentPairFirst) {
  const TemporaryDirectory directory;
  const BytePairFiles files(directory, kPairs);
  const Tokenizer tokenizer = read_byte_pairs(files.encoder, files.merges);
  EXPECT_EQ(tokenizer.vocabulary(), 256 + std::ssize(kPairs));
  EXPECT_EQ(tokenizer.encode("aaa ab"), (Tokens{259, 'a', 260}));
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const std::string text = random_text(200, "aaabbb c", seed);
    EXPECT_EQ(tokenizer.encode(text), naive(text)) << text;
  }
}

// In 400,000 equal letters every token except bytes is "aaaa". The time is not quadratic in the length of the
// word.
TEST(Tokenizer, LongWordsEnd) {
  const TemporaryDirectory directory;
  const BytePairFiles files(directory, kPairs);
  const Tokenizer tokenizer = read_byte_pairs(files.encoder, files.merges);
  EXPECT_EQ(tokenizer.encode(std::string(400'000, 'a')), Tokens(100'000, 261));
}

TEST(Tokenizer, ALimitIsTheTokenizerThatStoppedThere) {
  const TemporaryDirectory directory, other;
  const BytePairFiles all(directory, kPairs), first(other, Merges(kPairs.begin(), kPairs.begin() + 3));
  const Tokenizer limited = read_byte_pairs(all.encoder, all.merges, 259);
  const Tokenizer stopped = read_byte_pairs(first.encoder, first.merges);
  EXPECT_EQ(limited.vocabulary(), 259);
  const std::string text = random_text(2000, "aaabbb c", 1);
  EXPECT_EQ(limited.encode(text), stopped.encode(text));
  EXPECT_EQ(limited.decode(limited.encode(text)), text);
  expect_error(ErrorCode::invalid_argument, "max_vocabulary: 255",
               [&] { read_byte_pairs(all.encoder, all.merges, 255); });
}

TEST(Tokenizer, FilesThatAreNoneAreRefused) {
  const TemporaryDirectory directory;
  const BytePairFiles files(directory, {{"a", "b"}});
  const std::string encoder = TemporaryDirectory::content(files.encoder);
  const auto refuse_encoder = [&](const std::string& content, const std::string& piece) {
    const auto path = directory.file("e.json", content);
    expect_error(ErrorCode::format, piece, [&] { read_byte_pairs(path, files.merges); });
  };
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string out = encoder;
    return out.replace(out.find(from), from.size(), to);
  };
  refuse_encoder("{", "JSON object");
  refuse_encoder("[]", "JSON object");
  refuse_encoder("{}", "no token for the byte 0");
  refuse_encoder(replaced("\"ab\": 256", "\"ab\": 5"), "has the number 5");
  refuse_encoder(replaced("\"ab\": 256", "\"ab\": 257"), "has the number 257");
  refuse_encoder(replaced("\"ab\": 256", "\"ab\": -1"), "has the number -1");
  refuse_encoder(replaced("\"ab\": 256", "\"ab\": \"x\""), "has the number \"x\"");
  refuse_encoder(replaced("\"ab\"", "\"a b\""), "stand for bytes");
  refuse_encoder(replaced("\"ab\"", "\"\u20ac\""), "stand for bytes");
  refuse_encoder(replaced("\"A\"", "\"AA\""), "no token for the byte 65");
  const auto refuse_merges = [&](const std::string& content, const std::string& piece) {
    const auto path = directory.file("m.bpe", content);
    expect_error(ErrorCode::format, piece, [&] { read_byte_pairs(files.encoder, path); });
  };
  refuse_merges("#version\na b\nab\n", "line 3: must be two tokens");
  refuse_merges("a b c\n", "line 1: must be two tokens");
  refuse_merges("a b\nab a\n", "line 2: merges what is not");
  expect_error(ErrorCode::io, "none.json", [&] { read_byte_pairs(directory / "none.json", files.merges); });
}

// Numbers as the library "tokenizers" gives them for the same files.
TEST(Tokenizer, TokensAreThoseOfGpt2) {
  if (!std::filesystem::exists(kText / "encoder.json"))
    GTEST_SKIP() << kText / "encoder.json"
                 << " is missing";
  const Tokenizer gpt2 = read_byte_pairs(kText / "encoder.json", kText / "vocab.bpe");
  EXPECT_EQ(gpt2.vocabulary(), 50257);
  EXPECT_EQ(gpt2.encode("Hello world"), (Tokens{15496, 995}));
  EXPECT_EQ(gpt2.encode("Hello, world! It's 2026.\n\n  Ok"),
            (Tokens{15496, 11, 995, 0, 632, 338, 1160, 2075, 13, 628, 220, 6762}));
  EXPECT_EQ(gpt2.encode("na\u00efve caf\u00e9 \u2014 \u201cquotes\u201d \u65e5\u672c\u8a9e \u00bd \u00b2"),
            (Tokens{2616,  38776, 40304, 851,   564, 250,   421, 6421,  447,  251,
                    10545, 245,   98,    17312, 105, 45739, 252, 25208, 1587, 110}));
  EXPECT_EQ(gpt2.encode("a\u00a0b \x1c\x1d x"), (Tokens{64, 1849, 65, 220, 216, 217, 2124}));
  EXPECT_EQ(gpt2.encode("don't I'LL we're"), (Tokens{9099, 470, 314, 6, 3069, 356, 821}));
  EXPECT_EQ(gpt2.encode("\u0301a \uff13\uff14 \u2460"),
            (Tokens{136, 223, 64, 27332, 120, 241, 171, 120, 242, 2343, 239, 254}));
  EXPECT_EQ(gpt2.encode("\U0001F600 emoji"), (Tokens{47249, 222, 44805}));
}

TEST(Tokenizer, DecodingIsTheInverse) {
  for (const char* name : {"encoder.json", "brown.txt", "wikitext-2-valid.txt"}) {
    if (!std::filesystem::exists(kText / name)) GTEST_SKIP() << kText / name << " is missing";
  }
  const Tokenizer gpt2 = read_byte_pairs(kText / "encoder.json", kText / "vocab.bpe");
  const Tokenizer small = read_byte_pairs(kText / "encoder.json", kText / "vocab.bpe", 1000);
  const std::string brown = TemporaryDirectory::content(kText / "brown.txt").substr(0, 1 << 20);
  for (const std::string& text :
       {brown, TemporaryDirectory::content(kText / "wikitext-2-valid.txt"), random_bytes(1 << 16, 3)}) {
    const Tokens tokens = gpt2.encode(text), more = small.encode(text);
    EXPECT_EQ(gpt2.decode(tokens), text);
    EXPECT_EQ(small.decode(more), text);
    EXPECT_GT(more.size(), tokens.size());
    EXPECT_LT(*std::max_element(more.begin(), more.end()), 1000);
  }
}

}  // namespace
}  // namespace parsimony::data::tokenizer_test
