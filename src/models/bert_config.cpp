// Implements read_bert_config of parsimony/models/bert.hpp.
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>

#include "core/json_nesting.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/models/bert.hpp"

namespace parsimony::models {
namespace {

constexpr std::int64_t kLargestConfig = std::int64_t{1} << 24;

class ConfigReader {
 public:
  explicit ConfigReader(const std::filesystem::path& file)
      : name_(file.string()), text_(read_file(file, kLargestConfig)) {
    if (!nests_too_deep(text_)) json_ = nlohmann::json::parse(text_, nullptr, false);
    if (!json_.is_object()) fail("must be a JSON object, as transformers writes it");
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::format, fmt::format("{}: {}", name_, what));
  }
  [[noreturn]] void unsupported(const std::string& what) const {
    throw Error(ErrorCode::unsupported, fmt::format("{}: {}", name_, what));
  }

  bool has(const char* key) const { return json_.contains(key) && !json_[key].is_null(); }
  /// The text under the key; `absent` without it.
  std::string text(const char* key, const std::string& absent) const {
    if (!has(key)) return absent;
    if (!json_[key].is_string()) fail(fmt::format("\"{}\" must be a text", key));
    return json_[key].get<std::string>();
  }
  void whole(const char* key, bool required, std::int64_t& value) const {
    if (!has(key)) {
      if (required) fail(fmt::format("\"{}\" is missing", key));
      return;
    }
    if (!json_[key].is_number_unsigned() || json_[key].get<std::uint64_t>() > 1U << 24) {
      fail(fmt::format("\"{}\" is {}; must be a whole number of 0 to {}", key, json_[key].dump(), 1 << 24));
    }
    value = json_[key].get<std::int64_t>();
  }
  void real(const char* key, double& value) const {
    if (!has(key)) return;
    if (!json_[key].is_number()) fail(fmt::format("\"{}\" must be a number", key));
    value = json_[key].get<double>();
  }
  std::int64_t size_of(const char* key) const {
    return has(key) && json_[key].is_object() ? static_cast<std::int64_t>(json_[key].size()) : 0;
  }

 private:
  std::string name_, text_;
  nlohmann::json json_;
};

}  // namespace

BertOptions read_bert_config(const std::filesystem::path& file, EncoderHead head, bool pooler) {
  const ConfigReader config(file);
  BertOptions out;
  const std::string kind = config.text("model_type", "");
  if (kind == "roberta" || kind == "xlm-roberta") {
    out.family = EncoderFamily::roberta;
    out.padding_token = 1;
  } else if (kind != "bert") {
    config.unsupported(fmt::format("\"model_type\" is \"{}\"; must be \"bert\" or \"roberta\"", kind));
  }
  out.head = head;
  out.pooler = pooler;
  config.whole("vocab_size", true, out.vocabulary);
  config.whole("max_position_embeddings", true, out.positions);
  config.whole("type_vocab_size", true, out.token_types);
  config.whole("num_hidden_layers", true, out.layers);
  config.whole("hidden_size", true, out.width);
  config.whole("num_attention_heads", true, out.heads);
  config.whole("intermediate_size", true, out.feed_forward);
  config.whole("pad_token_id", false, out.padding_token);
  config.real("layer_norm_eps", out.norm_epsilon);
  config.real("hidden_dropout_prob", out.dropout);
  config.whole("num_labels", false, out.classes);
  if (const std::int64_t labels = config.size_of("id2label"); labels > 0) out.classes = labels;
  if (const std::string act = config.text("hidden_act", "gelu"); act != "gelu") {
    config.unsupported(fmt::format("\"hidden_act\" is \"{}\"; must be \"gelu\"", act));
  }
  if (const std::string place = config.text("position_embedding_type", "absolute"); place != "absolute") {
    config.unsupported(fmt::format("\"position_embedding_type\" is \"{}\"; must be \"absolute\"", place));
  }
  try {
    validate_fields(out);
  } catch (const Error& error) {
    config.fail(error.what());
  }
  if (out.width % out.heads != 0) {
    config.fail(
        fmt::format("\"hidden_size\" is {}; must be a multiple of the {} heads", out.width, out.heads));
  }
  return out;
}

}  // namespace parsimony::models
