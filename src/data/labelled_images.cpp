#include "parsimony/data/labelled_images.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/count_of.hpp"
#include "core/files/zip.hpp"
#include "core/images/jpeg_format.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"

namespace parsimony::data {
namespace {

constexpr std::int64_t kImagesPerTask = 64;
// Most pixel values per byte of a JPEG: a block of 64 takes at least 2 bits unless it is progressive.
constexpr std::int64_t kMostExpansion = 1024;
constexpr std::int64_t kLargestPicture = std::int64_t{1} << 24;

// The class of split/class/name.jpg; empty for other members.
std::string_view class_of(std::string_view member, std::string_view split) {
  if (!member.ends_with(".jpg") && !member.ends_with(".jpeg")) return {};
  if (!member.starts_with(split) || member.substr(split.size(), 1) != "/") return {};
  member.remove_prefix(split.size() + 1);
  const std::size_t end = member.find('/');
  if (end == member.npos || member.find('/', end + 1) != member.npos) return {};
  return member.substr(0, end);
}

}  // namespace

LabelledImages read_labelled_images(const std::filesystem::path& archive, std::string_view split,
                                    const Context& context) {
  const std::string file = archive.string();
  const std::string bytes = read_file(archive, 0, context.stop);
  std::vector<ZipMember> members = list_zip(bytes, file);
  std::erase_if(members, [&](const ZipMember& member) { return class_of(member.name, split).empty(); });
  if (members.empty()) {
    refuse(fmt::format("{}: there are no images {}/<class>/*.jpg in it", file, split));
  }
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.name < b.name; });

  LabelledImages out;
  std::set<std::string_view> classes;
  for (const ZipMember& member : members) classes.insert(class_of(member.name, split));
  out.classes.assign(classes.begin(), classes.end());
  for (const ZipMember& member : members) {
    const auto at = std::lower_bound(out.classes.begin(), out.classes.end(), class_of(member.name, split));
    out.labels.push_back(at - out.classes.begin());
  }

  // Check all headers before memory is allocated for the pixels.
  std::vector<std::string> jpegs(members.size());
  const std::int64_t count = out.size();
  const auto name = [&](std::int64_t i) { return fmt::format("{}: {}", file, members[i].name); };
  const auto size_of = [&](std::int64_t i) {
    jpegs[i] = unpack_zip(members[i], file, kLargestPicture);
    const JpegSize size = jpeg_size(jpegs[i], name(i));
    if (size.width * size.height * 3 > kMostExpansion * std::ssize(jpegs[i])) {
      throw Error(ErrorCode::format, fmt::format("{}: {} × {} pixels cannot be in {}", name(i), size.width,
                                                 size.height, count_of(jpegs[i].size(), "byte")));
    }
    return size;
  };
  const JpegSize first = size_of(0);
  context.for_blocks(count, kImagesPerTask, [&](std::int64_t begin, std::int64_t end) {
    context.check_cancelled();
    for (std::int64_t i = begin; i < end; ++i) {
      const JpegSize size = size_of(i);
      if (size.width != first.width || size.height != first.height) {
        throw Error(
            ErrorCode::format,
            fmt::format("{}: {} × {} pixels; the first image, {}, has {} × {}, and all must be of one "
                        "size",
                        name(i), size.width, size.height, members[0].name, first.width, first.height));
      }
    }
  });

  out.height = first.height;
  out.width = first.width;
  out.pixels.resize(count * out.values_per_image());
  context.for_blocks(count, kImagesPerTask, [&](std::int64_t begin, std::int64_t end) {
    context.check_cancelled();
    for (std::int64_t i = begin; i < end; ++i) {
      const Samples samples = decode_jpeg(jpegs[i], name(i), 0);
      const std::int64_t pixels = samples.width * samples.height;
      auto* to = out.pixels.data() + i * out.values_per_image();
      for (std::int64_t c = 0; c < 3; ++c) {  // a grey picture has three equal planes
        const char* from = samples.bytes.data() + (samples.channels == 3 ? c : 0);
        for (std::int64_t p = 0; p < pixels; ++p, from += samples.channels) {
          *to++ = static_cast<std::uint8_t>(*from);
        }
      }
    }
  });
  return out;
}

}  // namespace parsimony::data
