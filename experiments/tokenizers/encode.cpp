// experiment_encode TOKENIZER [MAX_LENGTH] [pairs] < texts: the tokens and types of texts that end with a NUL
// byte, one line of numbers each; `pairs` takes two texts at a time.
#include <fmt/format.h>

#include <cstdlib>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

#include "parsimony/core/error.hpp"
#include "parsimony/data/sentence_tokenizer.hpp"

int main(int argc, char** argv) {
  using namespace parsimony;
  try {
    if (argc < 2) refuse("usage: experiment_encode TOKENIZER [MAX_LENGTH] [pairs]");
    const data::SentenceTokenizer tokenizer = data::load_tokenizer(argv[1]);
    const std::int64_t length = argc > 2 ? std::atoll(argv[2]) : 0;
    const bool pairs = argc > 3;
    const std::string input{std::istreambuf_iterator<char>(std::cin), {}};
    std::string_view rest = input;
    const auto next = [&] {
      const std::size_t end = std::min(rest.find('\0'), rest.size());
      const std::string_view text = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      return text;
    };
    while (!rest.empty()) {
      const std::string_view first = next();
      const data::EncodedText text =
          pairs ? tokenizer.encode_pair(first, next(), length) : tokenizer.encode(first, length);
      std::cout << fmt::format("{}|{}\n", fmt::join(text.tokens, " "), fmt::join(text.types, " "));
    }
  } catch (const Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
