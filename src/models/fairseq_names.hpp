// The names that fairseq gives the tensors of a Transformer language model.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "parsimony/models/transformer.hpp"

namespace parsimony::models {

/// Whether a file with these names is from fairseq: it has layers with self_attn.
bool has_fairseq_names(const std::set<std::string, std::less<>>& names);

/// The name of the same tensor in a Transformer of these options. The weights of a tied output layer have the
/// name of the embedding's; with share_adjacent layers 2 n and 2 n + 1 have that of block n. Empty for
/// tensors that hold no weights (a version, a type), none for a name of another network.
std::optional<std::string> transformer_name(const std::string& fairseq_name,
                                            const TransformerOptions& options);

}  // namespace parsimony::models
