// Which kind of network a file holds.
#pragma once

#include <filesystem>

#include "parsimony/core/context.hpp"
#include "parsimony/core/options.hpp"

namespace parsimony::run {

enum class NetworkKind {
  encoder,   ///< a BERT or RoBERTa: load() and load_text_network()
  image,     ///< an EfficientNet: load_image_network()
  language,  ///< a language model: load_language_model()
};

constexpr auto names_of(NetworkKind) {
  using enum NetworkKind;
  return enum_names<NetworkKind>({{encoder, "encoder"}, {image, "image"}, {language, "language"}});
}

/// By the names of the tensors. model: as load() takes it. Throws what SafetensorsFile and read_compact_file
/// throw; format for a file with the tensors of none.
NetworkKind network_kind(const std::filesystem::path& model, const Context& context = Context{});

}  // namespace parsimony::run
