#include "data/picture_labels.hpp"

#include "check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace parsimony;
  fuzz::value_or_error([&] {
    std::string again;
    const data::PictureLabels labels = data::parse_picture_labels(fuzz::as_string(data, size), "input");
    for (const auto& [name, label] : labels) {
      fuzz::check(label >= 0 && label < data::kMostPictureClasses, "classes are in range");
      fuzz::check(name.find('/') == std::string::npos && name.find('\n') == std::string::npos,
                  "a name is the last part of one line");
      again += name + '\t' + std::to_string(label) + '\n';
    }
    fuzz::check(data::parse_picture_labels(again, "written") == labels, "is read as it was written");
  });
  return 0;
}
