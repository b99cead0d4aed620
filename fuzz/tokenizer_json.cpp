#include "data/text/tokenizer_json.hpp"

#include "check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parsimony;
  fuzz::value_or_error([&] {
    const std::string text = fuzz::as_string(data, size);
    const data::SentenceTokenizer tokenizer = data::parse_tokenizer_json(text, "input");
    const std::string sample = text.substr(0, 400);
    const data::EncodedText pair = tokenizer.encode_pair("A caf\u00e9, [MASK] <mask>\u4e2d", sample);
    fuzz::check(pair.tokens.size() == pair.types.size(), "one type a token");
    for (const std::int32_t token : pair.tokens) {
      fuzz::check(token >= 0 && token < tokenizer.vocabulary(), "tokens are of the vocabulary");
    }
    const data::EncodedText shortened = tokenizer.encode_pair("a b c d", sample, 200);
    fuzz::check(shortened.tokens.size() <= 200, "no more tokens than asked for");
  });
  return 0;
}
