#include "parsimony/data/encoder_config.hpp"

#include "check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parsimony;
  fuzz::value_or_error([&] {
    const data::EncoderConfig config = data::parse_encoder_config(fuzz::as_string(data, size), "input");
    fuzz::check(config.vocabulary > 0 && config.layers > 0 && config.feed_forward > 0, "sizes are positive");
    fuzz::check(config.token_types > 0 && config.positions > 0, "tables have rows");
    fuzz::check(config.heads > 0 && config.width >= config.heads && config.width % config.heads == 0,
                "a head has a whole number of values");
    fuzz::check(config.longest_text() > 0, "a text has a token");
    fuzz::check(config.classes > 0, "there is a class");
    fuzz::check(config.labels.empty() || std::ssize(config.labels) == config.classes, "one name a class");
    fuzz::check(config.norm_epsilon >= 0 && config.dropout >= 0 && config.dropout < 1,
                "fractions are in range");
  });
  return 0;
}
