#include "parsimony/data/pictures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/files/zip.hpp"
#include "data/picture_labels.hpp"
#include "data/resample.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/core/file_error.hpp"
#include "parsimony/core/image.hpp"

namespace parsimony::data {
namespace {

constexpr std::int64_t kLargestFile = std::int64_t{1} << 30;
constexpr std::int64_t kPicturesPerTask = 4;
constexpr const char* kLabels = "labels.txt";

bool is_picture(std::string_view name) {
  const std::string_view file = last_part(name);
  std::string ending(file.substr(std::min(file.rfind('.'), file.size())));
  for (char& letter : ending)
    letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
  constexpr std::array<std::string_view, 9> kEndings{".jpg", ".jpeg", ".png", ".webp", ".bmp",
                                                     ".tif", ".tiff", ".ppm", ".pgm"};
  // Files of macOS that describe others begin with a dot.
  return !file.starts_with('.') && std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

// The files of a folder or of an archive in memory, by their paths within it.
class PictureFiles {
 public:
  PictureFiles(const std::filesystem::path& path, const Context& context) : path_(path) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
      list_folder();
      return;
    }
    if (is_picture(path.filename().string())) {
      path_ = path.parent_path();
      files_.insert(path.filename().string());
      return;
    }
    archive_ = read_file(path, 0, context.stop);
    for (ZipMember& member : list_zip(archive_, path.string())) {
      std::string name = member.name;
      members_.emplace(std::move(name), std::move(member));
    }
  }

  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& [name, member] : members_) out.push_back(name);
    for (const std::string& name : files_) out.push_back(name);
    return out;
  }
  bool has(const std::string& name) const { return members_.contains(name) || files_.contains(name); }
  std::string in_messages(const std::string& name) const {
    return archive_.empty() ? (path_ / name).string() : fmt::format("{}: {}", path_.string(), name);
  }
  std::string read(const std::string& name, const Context& context) const {
    if (archive_.empty()) return read_file(path_ / name, kLargestFile, context.stop);
    return unpack_zip(members_.at(name), path_.string(), kLargestFile, context.stop);
  }

 private:
  void list_folder() {
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator at(path_, error), end; at != end && !error;
         at.increment(error)) {
      if (at->is_regular_file()) files_.insert(at->path().lexically_relative(path_).generic_string());
    }
    if (error) {
      throw FileError(error.value(),
                      fmt::format("{}: cannot be listed: {}", path_.string(), error.message()));
    }
  }

  std::filesystem::path path_;
  std::string archive_;  // empty for a folder
  std::map<std::string, ZipMember> members_;
  std::set<std::string> files_;
};

struct Listed {
  std::string name;
  std::int64_t label = -1;
};

struct Listing {
  std::vector<Listed> pictures;  // by name
  std::vector<std::string> classes;
  bool numbered = false;
};

Listing by_labels(const PictureFiles& files, const Context& context) {
  const std::string labels_name = files.in_messages(kLabels);
  const auto labels = parse_picture_labels(files.read(kLabels, context), labels_name);
  std::set<std::string_view, std::less<>> found;
  Listing out;
  std::int64_t most = -1;
  const std::vector<std::string> names = files.names();
  for (const std::string& name : names) {
    const auto label = labels.find(last_part(name));
    if (label == labels.end()) continue;
    if (!found.insert(label->first).second) {
      throw Error(ErrorCode::format, fmt::format("{}: {} is in two folders, so that its label is of either",
                                                 labels_name, label->first));
    }
    out.pictures.push_back({name, label->second});
    most = std::max(most, label->second);
  }
  for (const auto& [name, label] : labels) {
    if (found.contains(name)) continue;
    throw Error(ErrorCode::format, fmt::format("{}: {} is missing", labels_name, name));
  }
  out.numbered = true;
  for (std::int64_t c = 0; c <= most; ++c) out.classes.push_back(std::to_string(c));
  return out;
}

Listing by_folders(const PictureFiles& files, std::string_view split) {
  Listing out;
  std::vector<std::pair<std::string, std::string>> found;  // class, name
  for (const std::string& name : files.names()) {
    std::string_view rest = name;
    if (!is_picture(name) || !rest.starts_with(split) || rest.substr(split.size(), 1) != "/") continue;
    rest.remove_prefix(split.size() + 1);
    const std::size_t end = rest.find('/');
    if (end == rest.npos || rest.find('/', end + 1) != rest.npos) continue;
    found.emplace_back(rest.substr(0, end), name);
  }
  std::set<std::string> classes;
  for (const auto& [folder, name] : found) classes.insert(folder);
  out.classes.assign(classes.begin(), classes.end());
  for (const auto& [folder, name] : found) {
    const auto at = std::lower_bound(out.classes.begin(), out.classes.end(), folder);
    out.pictures.push_back({name, at - out.classes.begin()});
  }
  return out;
}

Listing list_pictures(const PictureFiles& files, std::string_view split, const Context& context) {
  if (files.has(kLabels)) return by_labels(files, context);
  if (!split.empty()) return by_folders(files, split);
  Listing out;
  for (const std::string& name : files.names()) {
    if (is_picture(name)) out.pictures.push_back({name, -1});
  }
  return out;
}

// The square in the middle of the resized picture.
Window middle(const Image& image, const PictureOptions& options) {
  const std::int64_t height = image.height(), width = image.width(), shorter = std::min(height, width);
  constexpr double kShown = 0.875;
  const auto usual = static_cast<std::int64_t>(std::lround(static_cast<double>(options.side) / kShown));
  std::int64_t from = options.crop_from;
  if (from == 0) from = std::clamp(shorter, options.side, usual);
  const auto scaled = [&](std::int64_t size) {  // the longer side rounds down, as in torchvision
    return size == shorter ? from : size * from / shorter;
  };
  Window window{scaled(height), scaled(width), 0, 0, options.side};
  window.top = (window.height - options.side) / 2;
  window.left = (window.width - options.side) / 2;
  return window;
}

void write_planes(const Image& image, const PictureOptions& options, std::uint8_t* out) {
  const Window window = middle(image, options);
  for (std::int64_t c = 0; c < 3; ++c) {  // a grey picture has three equal planes
    const Matrix<float>& channel = image.channels[image.colors() == 3 ? c : 0];
    const bool as_it_is = window.height == image.height() && window.width == image.width();
    const Matrix<float> resized = as_it_is ? Matrix<float>() : resample(channel, window);
    for (std::int64_t y = 0; y < options.side; ++y) {
      for (std::int64_t x = 0; x < options.side; ++x) {
        const float value = as_it_is ? channel(window.top + y, window.left + x) : resized(y, x);
        *out++ = static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0F, 255.0F)));
      }
    }
  }
}

}  // namespace

LabelledImages read_pictures(const std::filesystem::path& path, std::string_view split,
                             const PictureOptions& options, const Context& context) {
  validate_fields(options);
  if (options.crop_from != 0 && options.crop_from < options.side) {
    refuse(fmt::format("crop_from: is {}; must be at least side, {}", options.crop_from, options.side));
  }
  const PictureFiles files(path, context);
  Listing listing = list_pictures(files, split, context);
  std::vector<Listed>& pictures = listing.pictures;
  if (pictures.empty()) {
    const std::string place = split.empty() ? "pictures" : fmt::format("pictures {}/<class>/*", split);
    refuse(fmt::format("{}: there are no {} in it, and no labels.txt that lists some", path.string(), place));
  }
  if (options.count > 0 && options.count < std::ssize(pictures)) {
    std::vector<Listed> spaced;
    for (std::int64_t i = 0; i < options.count; ++i) {
      spaced.push_back(pictures[i * std::ssize(pictures) / options.count]);
    }
    pictures = std::move(spaced);
  }

  LabelledImages out;
  out.height = out.width = options.side;
  out.classes = std::move(listing.classes);
  out.numbered = listing.numbered;
  for (const Listed& picture : pictures) {
    out.labels.push_back(picture.label);
    out.names.push_back(picture.name);
  }
  context.require_memory(out.size() * out.values_per_image(), "the pixels of the pictures");
  out.pixels.resize(out.size() * out.values_per_image());
  context.for_blocks(out.size(), kPicturesPerTask, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      context.check_cancelled();
      const std::string& name = pictures[i].name;
      const Image image = parse_image(files.read(name, context), files.in_messages(name), kLargestFile);
      write_planes(image, options, out.pixels.data() + i * out.values_per_image());
    }
  });
  return out;
}

}  // namespace parsimony::data
