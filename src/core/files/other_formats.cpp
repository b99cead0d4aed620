#include "core/files/other_formats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace parsimony {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kBlanks = " \t\n\r";

bool begins_as(std::string_view text, std::string_view lower_case) {
  return text.size() >= lower_case.size() &&
         std::equal(lower_case.begin(), lower_case.end(), text.begin(),
                    [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
}

// The name itself where neither a shell nor Python changes it; FILE for names with quotes and the like.
std::string in_command(std::string_view file) {
  const bool plain =
      !file.empty() && file.front() != '-' && std::all_of(file.begin(), file.end(), [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || "._/-+"sv.find(c) != std::string_view::npos;
      });
  return plain ? std::string(file) : "FILE";
}

std::string pytorch(std::string_view file) {
  return fmt::format(
      "is a PyTorch file; make a safetensors file of it first: python3 -c \"import torch, safetensors.torch; "
      "safetensors.torch.save_file({{k: v.contiguous().clone() for k, v in torch.load('{}', "
      "map_location='cpu', "
      "weights_only=True).items()}}, 'model.safetensors')\"",
      in_command(file));
}

std::string lfs_pointer(std::string_view text) {
  const std::string_view size = "\nsize ";
  std::string bytes;
  if (const auto at = text.find(size); at != std::string_view::npos) {
    const std::string_view rest = text.substr(at + size.size());
    bytes = fmt::format(" of {} bytes", rest.substr(0, std::min<std::size_t>(rest.find('\n'), 20)));
    if (!std::all_of(bytes.begin() + 4, bytes.end() - 6, [](char c) { return c >= '0' && c <= '9'; }))
      bytes.clear();
  }
  return fmt::format("is a Git LFS pointer to a file{}, not the file itself; fetch it with: git lfs pull",
                     bytes);
}

}  // namespace

char first_of_json(std::string_view text) {
  const auto at = text.find_first_not_of(kBlanks);
  return at == std::string_view::npos ? '\0' : text[at];
}

std::string other_format(std::string_view bytes, std::string_view file) {
  constexpr std::size_t kEnough = 4096;
  bytes = bytes.substr(0, kEnough);
  std::string_view text = bytes;
  if (text.starts_with("\xEF\xBB\xBF"sv)) text.remove_prefix(3);  // a mark of UTF-8
  text.remove_prefix(std::min(text.size(), text.find_first_not_of(kBlanks)));
  if (bytes.starts_with("version https://git-lfs.github.com/spec/"sv)) return lfs_pointer(bytes);
  if (bytes.starts_with("GGUF"sv)) {
    return "is a GGUF file, whose weights are quantized already or in other layouts; give the safetensors "
           "files that "
           "it was made from";
  }
  if (bytes.starts_with("PK\x03\x04"sv)) {
    // PyTorch writes data.pkl as the first member of a folder.
    if (bytes.substr(0, 200).find("data.pkl") != std::string_view::npos) return pytorch(file);
    return "is a zip archive, not a safetensors file; unpack it first";
  }
  if (bytes.size() > 2 && bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5) return pytorch(file);
  if (begins_as(text, "<!doctype html") || begins_as(text, "<html") || begins_as(text, "<?xml")) {
    return "is a web page, not a file of tensors; fetch the file itself (of a link that shows a file as a "
           "page, the "
           "raw one, and where a site asks for it, after logging in)";
  }
  if (bytes.starts_with("\x89HDF\r\n"sv)) {
    return "is an HDF5 file (Keras, MATLAB); save the network's tensors with safetensors.numpy.save_file "
           "first";
  }
  if (bytes.starts_with("\x93NUMPY"sv)) {
    return "is a .npy array; save it under a tensor's name with safetensors.numpy.save_file first";
  }
  if (bytes.size() >= 8 && bytes.substr(4, 4) == "TFL3")
    return "is a TensorFlow Lite model, not a safetensors file";
  if (!text.empty() && text.front() == '{') {
    return "is JSON, not a safetensors file; a sharded model is read by its index, "
           "model.safetensors.index.json";
  }
  return {};
}

}  // namespace parsimony
