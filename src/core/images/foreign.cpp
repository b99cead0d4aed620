#include "core/images/foreign.hpp"

#include <fmt/format.h>

#include <cstddef>

namespace parsimony {
namespace {

struct Mark {
  std::size_t at;
  std::string_view bytes;
  const char* name;
  const char* way_out;  // {} stands for the file
};

constexpr const char* kMagick = "convert it to PNG first: magick {} out.png";
constexpr const char* kHeif = "convert it to PNG first: heif-convert {} out.png";
constexpr const char* kRaw = "develop it first: dcraw -T -6 writes a TIFF";
constexpr const char* kArray = "save its array with numpy.save as .npy, on the scale 0 to 255";
using namespace std::string_view_literals;

// The longer marks first where one begins with another.
constexpr Mark kMarks[] = {
    {0, "GIF8"sv, "a GIF", kMagick},
    {128, "DICM"sv, "DICOM",
     "take its pixels with pydicom (dcmread(…).pixel_array) and numpy.save them as .npy"},
    {4, "ftypavif"sv, "AVIF", "convert it to PNG first: avifdec {} out.png"},
    {4, "ftypavis"sv, "AVIF", "convert it to PNG first: avifdec {} out.png"},
    {4, "ftypheic"sv, "HEIC", kHeif},
    {4, "ftypheix"sv, "HEIC", kHeif},
    {4, "ftyphevc"sv, "HEIC", kHeif},
    {4, "ftypmif1"sv, "HEIF", kHeif},
    {4, "ftypmsf1"sv, "HEIF", kHeif},
    {4, "ftypcrx "sv, "a Canon raw photograph (CR3)", kRaw},
    {0, "\xff\x0a"sv, "JPEG XL", "convert it to PNG first: djxl {} out.png"},
    {0, "\0\0\0\x0cJXL "sv, "JPEG XL", "convert it to PNG first: djxl {} out.png"},
    {0, "\0\0\0\x0cjP  "sv, "JPEG 2000", "convert it to PNG first: opj_decompress -i {} -o out.png"},
    {0, "\xff\x4f\xff\x51"sv, "JPEG 2000", "convert it to PNG first: opj_decompress -i {} -o out.png"},
    {0, "FUJIFILMCCD-RAW"sv, "a Fuji raw photograph (RAF)", kRaw},
    {8, "CR\2\0"sv, "a Canon raw photograph (CR2)", kRaw},
    {0, "IIU\0"sv, "a Panasonic raw photograph (RW2)", kRaw},
    {0, "IIRO"sv, "an Olympus raw photograph (ORF)", kRaw},
    {0, "8BPS"sv, "a Photoshop document", "export it as PNG"},
    {0, "\x76\x2f\x31\x01"sv, "OpenEXR", "convert it to PFM first: magick {} out.pfm"},
    {0, "#?RADIANCE"sv, "a Radiance picture (HDR)", "convert it to PFM first: magick {} out.pfm"},
    {0, "SIMPLE  ="sv, "FITS", kArray},
    {344, "n+1\0"sv, "NIfTI", kArray},
    {0, "\x89HDF\r\n\x1a\n"sv, "HDF5", kArray},
    {0, "MATLAB 5.0 MAT-file"sv, "a file of MATLAB", kArray},
    {0, "\x93NUMPY"sv, "an array of NumPy", "name it .npy"},
    {0, "PK\3\4"sv, "a zip or .npz archive", "take the image out of it"},
    {0, "%PDF"sv, "a PDF", "convert a page to PNG first: pdftoppm -png {} out"},
    {0, "<svg"sv, "an SVG drawing", kMagick},
    {0, "<?xml"sv, "XML, perhaps an SVG drawing", kMagick},
    {0, "qoif"sv, "QOI", kMagick},
    {0, "\0\0\1\0"sv, "an icon", kMagick},
};

}  // namespace

std::string foreign_image(std::string_view bytes, const std::string& name) {
  for (const Mark& mark : kMarks) {
    if (bytes.size() >= mark.at + mark.bytes.size() &&
        bytes.substr(mark.at, mark.bytes.size()) == mark.bytes) {
      return fmt::format("{}: {}", mark.name, fmt::format(fmt::runtime(mark.way_out), name));
    }
  }
  return {};
}

}  // namespace parsimony
