// Files of a small tokenizer of byte pairs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "temporary_directory.hpp"

namespace parsimony::data {

using Merges = std::vector<std::pair<std::string, std::string>>;

/// Bytes as the files write them: those of Latin-1 that can be seen as themselves, the others from U+0100 on.
inline std::string printed(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const int byte = static_cast<unsigned char>(c);
    int code = byte;
    if (byte <= 0x20) {
      code = 0x100 + byte;
    } else if (byte >= 0x7F && byte <= 0xA0) {
      code = 0x100 + 33 + byte - 0x7F;
    } else if (byte == 0xAD) {
      code = 0x100 + 67;
    }
    if (code < 0x80) {
      if (code == '"' || code == '\\') out += '\\';  // JSON
      out += static_cast<char>(code);
    } else {
      out += static_cast<char>(0xC0 | code >> 6);
      out += static_cast<char>(0x80 | (code & 0x3F));
    }
  }
  return out;
}

/// The bytes as tokens 0 to 255, then the merges.
struct BytePairFiles {
  std::filesystem::path encoder, merges;

  BytePairFiles(const TemporaryDirectory& directory, const Merges& pairs) {
    std::string json = "{", lines = "#version: 0.2\n";
    const auto token = [&](const std::string& bytes, std::size_t number) {
      json += (number > 0 ? ", \"" : "\"") + printed(bytes) + "\": " + std::to_string(number);
    };
    for (int byte = 0; byte < 256; ++byte) token(std::string(1, static_cast<char>(byte)), byte);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      token(pairs[i].first + pairs[i].second, 256 + i);
      lines += printed(pairs[i].first) + " " + printed(pairs[i].second) + "\n";
    }
    encoder = directory.file("encoder.json", json + "}");
    merges = directory.file("vocab.bpe", lines);
  }
};

}  // namespace parsimony::data
