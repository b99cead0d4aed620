#include "parsimony/data/encoder_config.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "core/count_of.hpp"
#include "core/json_nesting.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"

namespace parsimony::data {
namespace {

constexpr std::int64_t kLargestEncoderConfig = std::int64_t{1} << 24;

class EncoderConfigReader {
 public:
  EncoderConfigReader(std::string_view text, std::string name) : name_(std::move(name)) {
    if (!nests_too_deep(text)) json_ = nlohmann::json::parse(text, nullptr, false);
    if (!json_.is_object()) fail("must be a JSON object, as transformers writes it");
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::format, fmt::format("{}: {}", name_, what));
  }
  /// Throws unsupported unless the text under the key, if there is one, is `right`.
  void expect(const char* key, std::string_view right) const {
    const std::string found = text(key, right);
    if (found != right) unsupported(fmt::format("\"{}\" is \"{}\"; must be \"{}\"", key, found, right));
  }
  [[noreturn]] void unsupported(const std::string& what) const {
    throw Error(ErrorCode::unsupported, fmt::format("{}: {}", name_, what));
  }
  std::string text(const char* key, std::string_view absent) const {
    const nlohmann::json* value = find(key);
    if (value == nullptr) return std::string(absent);
    if (!value->is_string()) fail(fmt::format("\"{}\" must be a text", key));
    return value->get<std::string>();
  }
  std::int64_t whole(const char* key, std::int64_t low, std::int64_t high, std::int64_t absent = -1) const {
    const nlohmann::json* value = find(key);
    if (value == nullptr) {
      if (absent < 0) fail(fmt::format("\"{}\" is missing", key));
      return absent;
    }
    if (!value->is_number_unsigned() || value->get<std::uint64_t>() < static_cast<std::uint64_t>(low) ||
        value->get<std::uint64_t>() > static_cast<std::uint64_t>(high)) {
      fail(fmt::format("\"{}\" is {}; must be a whole number of {} to {}", key, shown(*value), low, high));
    }
    return value->get<std::int64_t>();
  }
  double fraction(const char* key, double high, double absent) const {
    const nlohmann::json* value = find(key);
    if (value == nullptr) return absent;
    if (!value->is_number() || !(value->get<double>() >= 0 && value->get<double>() <= high)) {
      fail(fmt::format("\"{}\" is {}; must be a number of 0 to {}", key, shown(*value), high));
    }
    return value->get<double>();
  }
  std::vector<std::string> labels() const {
    const nlohmann::json* names = find("id2label");
    std::vector<std::string> out;
    if (names == nullptr || !names->is_object()) return out;
    for (std::size_t i = 0; i < names->size(); ++i) {
      const auto at = names->find(std::to_string(i));
      if (at == names->end() || !at->is_string()) {
        fail(fmt::format("\"id2label\" has no text under \"{}\"; must have one for each class", i));
      }
      out.push_back(at->get<std::string>());
    }
    return out;
  }

 private:
  const nlohmann::json* find(const char* key) const {
    const auto at = json_.find(key);
    return at == json_.end() || at->is_null() ? nullptr : &*at;
  }
  static std::string shown(const nlohmann::json& value) {
    constexpr std::size_t kMost = 40;
    std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
    if (text.size() > kMost) text = text.substr(0, kMost) + "…";
    return text;
  }

  std::string name_;
  nlohmann::json json_;
};

}  // namespace

EncoderConfig read_encoder_config(const std::filesystem::path& file) {
  return parse_encoder_config(read_file(file, kLargestEncoderConfig), file.string());
}

EncoderConfig parse_encoder_config(std::string_view text, const std::string& name) {
  constexpr std::int64_t kTokens = 1 << 24, kPositions = 1 << 20, kWidth = 1 << 16, kFeedForward = 1 << 20,
                         kLayers = 1 << 10, kClasses = 1 << 20;
  const EncoderConfigReader config(text, name);
  EncoderConfig out;
  const std::string kind = config.text("model_type", "");
  if (kind == "roberta" || kind == "xlm-roberta") {
    out.kind = EncoderKind::roberta;
  } else if (kind != "bert") {
    config.unsupported(fmt::format("\"model_type\" is \"{}\"; must be \"bert\" or \"roberta\"", kind));
  }
  config.expect("hidden_act", "gelu");
  config.expect("position_embedding_type", "absolute");
  out.vocabulary = config.whole("vocab_size", 1, kTokens);
  out.positions = config.whole("max_position_embeddings", 1, kPositions);
  out.token_types = config.whole("type_vocab_size", 1, kLayers);
  out.layers = config.whole("num_hidden_layers", 1, kLayers);
  out.width = config.whole("hidden_size", 1, kWidth);
  out.heads = config.whole("num_attention_heads", 1, kLayers);
  out.feed_forward = config.whole("intermediate_size", 1, kFeedForward);
  out.padding_token = config.whole("pad_token_id", 0, kTokens, out.kind == EncoderKind::roberta ? 1 : 0);
  out.norm_epsilon = config.fraction("layer_norm_eps", 1, out.norm_epsilon);
  out.dropout = config.fraction("hidden_dropout_prob", 0.99, out.dropout);
  out.labels = config.labels();
  out.classes = out.labels.empty() ? config.whole("num_labels", 1, kClasses, out.classes)
                                   : static_cast<std::int64_t>(out.labels.size());
  if (out.width % out.heads != 0) {
    config.fail(fmt::format("\"hidden_size\" is {}; must be a multiple of the {}", out.width,
                            count_of(out.heads, "head")));
  }
  if (out.longest_text() < 1) {
    config.fail(fmt::format("\"max_position_embeddings\" is {}; must be at least {}", out.positions,
                            out.padding_token + 2));
  }
  return out;
}

}  // namespace parsimony::data
