// A network with the tokenizer of its texts.
#pragma once

#include <filesystem>

#include "parsimony/core/context.hpp"
#include "parsimony/data/sentence_tokenizer.hpp"
#include "parsimony/run/network.hpp"

namespace parsimony::run {

struct TextNetwork {
  Network network;
  data::SentenceTokenizer tokenizer;
};

/// Throws what load() and load_tokenizer() throw, and format for a tokenizer with more tokens than the
/// network.
TextNetwork load_text_network(const std::filesystem::path& model, const LoadOptions& options,
                              const Context& context);

}  // namespace parsimony::run
