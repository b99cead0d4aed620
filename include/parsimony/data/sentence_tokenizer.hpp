// The tokenizers of BERT and RoBERTa: sentences, and pairs of sentences, as the token numbers of a network.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

namespace parsimony::data {

constexpr std::int32_t kNoToken = -1;

/// Numbers of the special tokens; kNoToken for one that the vocabulary does not have.
struct SpecialTokens {
  std::int32_t begin = kNoToken;      ///< [CLS] or <s>
  std::int32_t separator = kNoToken;  ///< [SEP] or </s>
  std::int32_t padding = kNoToken;    ///< [PAD] or <pad>
  std::int32_t unknown = kNoToken;    ///< [UNK] or <unk>
  std::int32_t mask = kNoToken;       ///< [MASK] or <mask>
};

/// A text as the input of a network.
struct EncodedText {
  std::vector<std::int32_t> tokens;
  std::vector<std::int32_t>
      types;  ///< token_type_ids, one per token: with BERT 1 for the second text and its end
};

/// Cheap to copy. A call only reads: threads may share one.
class SentenceTokenizer {
 public:
  struct State;
  explicit SentenceTokenizer(std::shared_ptr<const State> state);  ///< by load_tokenizer()

  std::int64_t vocabulary() const;  ///< number of tokens; tokens are 0 to vocabulary() − 1
  const SpecialTokens& special() const;

  /// A token as the vocabulary writes it (##ing, Ġthe). Throws invalid_argument for a token outside the
  /// vocabulary.
  std::string_view name(std::int32_t token) const;

  /// The token of that name, or kNoToken.
  std::int32_t token(std::string_view name) const;

  /// The tokens of a text without those around it. Names of special tokens in the text become these tokens.
  /// Bytes that are not UTF-8 count as U+FFFD (which BERT drops), or as themselves with byte pairs.
  /// Time: O(n log n) in the bytes of a word for byte pairs, O(n · longest token) for word pieces.
  std::vector<std::int32_t> tokens_of(std::string_view text) const;

  /// The text with the special tokens of a single sentence: [CLS] A [SEP] or <s> A </s>.
  ///
  /// max_length > 0 limits the number of all tokens: the text loses its last ones. Take the positions of the
  /// network, as it refuses longer texts. Throws invalid_argument for a limit below the number of special
  /// tokens.
  EncodedText encode(std::string_view text, std::int64_t max_length = 0) const;

  /// A pair: [CLS] A [SEP] B [SEP] or <s> A </s></s> B </s>. A max_length first shortens the longer text,
  /// then both to halves ("longest_first" of transformers).
  EncodedText encode_pair(std::string_view first, std::string_view second, std::int64_t max_length = 0) const;

 private:
  std::shared_ptr<const State> state_;
};

/// Reads the tokenizer of a network: from a folder tokenizer.json, or else vocab.json with merges.txt (the
/// byte pairs of RoBERTa [liu2019roberta]), or else vocab.txt (the word pieces of BERT [devlin2019bert]); or
/// one of these files by its path (vocab.json and merges.txt must lie beside each other).
///
/// The numbers are those of the package `tokenizers` 0.23. These fields of tokenizer.json are supported:
///   model           BPE: vocab, merges; no dropout, prefix, suffix, byte_fallback or ignore_merges, and a
///   token
///                   for each byte. WordPiece: vocab, unk_token, continuing_subword_prefix,
///                   max_input_chars_per_word
///   normalizer      none with BPE; BertNormalizer with WordPiece
///   pre_tokenizer   ByteLevel (add_prefix_space) with BPE; BertPreTokenizer with WordPiece
///   post_processor  TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel, none
///   added_tokens    all but single_word, and normalized where there is a normalizer
/// `truncation`, `padding` and `decoder` are not read: the caller gives the length, and texts are not padded.
///
/// vocab.txt lowers the case and drops accents unless a tokenizer_config.json beside it says otherwise
/// (do_lower_case, strip_accents, tokenize_chinese_chars).
///
/// Throws io; format for a file of another form, with its field, token or line; unsupported for a field
/// outside this list.
SentenceTokenizer load_tokenizer(const std::filesystem::path& path);

}  // namespace parsimony::data
