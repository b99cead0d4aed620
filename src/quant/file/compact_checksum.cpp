#include "quant/file/compact_checksum.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/files/mapped_file.hpp"
#include "core/files/safetensors_header.hpp"
#include "parsimony/core/error.hpp"

namespace parsimony::quant {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 20;

// CRC-32 finds every change of one bit, and of any bits within 32 of each other.
std::string checksum_text(const std::vector<const TensorView*>& in_order, const Context& context) {
  uLong sum = crc32_z(0, nullptr, 0);
  for (const TensorView* tensor : in_order) {
    for (std::size_t at = 0; at < tensor->data.size(); at += kPiece) {
      context.check_cancelled();
      const auto piece = tensor->data.subspan(at, std::min(kPiece, tensor->data.size() - at));
      sum = crc32_z(sum, piece.data(), piece.size());
      forget_mapped_pages(piece.data(), piece.size());  // the process holds only the pages that it uses later
    }
  }
  return fmt::format("crc32:{:08x}", static_cast<std::uint32_t>(sum));
}

std::vector<const TensorView*> pointers(std::span<const TensorView> tensors) {
  std::vector<const TensorView*> out;
  for (const TensorView& tensor : tensors) {
    if (!tensor.data.empty()) out.push_back(&tensor);  // crc32_z starts anew without data
  }
  return out;
}

}  // namespace

TensorMetadata with_checksum(TensorMetadata metadata, std::span<const TensorView> tensors) {
  std::vector<const TensorView*> order = pointers(tensors);
  std::sort(order.begin(), order.end(),
            [](const TensorView* a, const TensorView* b) { return stored_before(*a, *b); });
  metadata[std::string(kChecksumKey)] = checksum_text(order, Context{1});
  return metadata;
}

void check_checksum(const SafetensorsFile& file, const Context& context) {
  const auto noted = file.metadata().find(kChecksumKey);
  if (noted == file.metadata().end()) return;
  std::vector<const TensorView*> order = pointers(file.tensors());
  std::sort(order.begin(), order.end(),
            [](const TensorView* a, const TensorView* b) { return a->data.data() < b->data.data(); });
  const std::string found = checksum_text(order, context);
  if (noted->second == found) return;
  throw Error(ErrorCode::format,
              fmt::format("{}: its data has the checksum {}; the file notes {}: bits were changed after it "
                          "was written, so copy it again from its source or write it anew",
                          file.name(), found, quoted_name(noted->second)));
}

}  // namespace parsimony::quant
