#include "parsimony/core/npy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>

#include "core/count_of.hpp"
#include "core/files/npy_format.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/core/half.hpp"

namespace parsimony {

static_assert(std::endian::native == std::endian::little, "arrays are written as they lie in memory");

namespace {

// The Python dictionary of a header: {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }
class HeaderParser {
 public:
  HeaderParser(std::string_view text, NpyArray& out) : text_(text), out_(out) {}

  void parse() {
    expect('{');
    bool descr = false, order = false, shape = false;
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr" && !descr) {
        descr = true;
        parse_descr(quoted());
      } else if (key == "fortran_order" && !order) {
        order = true;
        out_.fortran_order = boolean();
      } else if (key == "shape" && !shape) {
        shape = true;
        parse_shape();
      } else {
        fail(fmt::format("unknown or repeated key '{}'", key));
      }
      if (!accept(',') && peek() != '}') fail("',' or '}' expected");
    }
    if (!descr || !order || !shape) fail("descr, fortran_order and shape must all be given");
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::format, fmt::format("{}: broken .npy header: {}", out_.name, what));
  }
  char peek() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\n')) text_.remove_prefix(1);
    return text_.empty() ? '\0' : text_.front();
  }
  bool accept(char c) {
    if (peek() != c || text_.empty()) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(fmt::format("'{}' expected", c));
  }
  std::string_view quoted() {
    const char quote = peek();
    if (quote == '[')
      throw Error(ErrorCode::unsupported, out_.name + ": arrays of records are not supported");
    if (quote != '\'' && quote != '"') fail("a quoted word expected");
    const std::size_t end = text_.find(quote, 1);
    if (end == text_.npos) fail("a quote does not end");
    const std::string_view word = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return word;
  }
  bool boolean() {
    peek();
    for (const auto& [word, value] : {std::pair{std::string_view("True"), true}, {"False", false}}) {
      if (text_.substr(0, word.size()) == word) {
        text_.remove_prefix(word.size());
        return value;
      }
    }
    fail("True or False expected");
  }
  void parse_descr(std::string_view descr) {
    const auto unsupported = [&] {
      throw Error(ErrorCode::unsupported,
                  fmt::format("{}: dtype '{}' is not supported; bool, (u)int8 to 64 and float16 to 64 are",
                              out_.name, descr));
    };
    if (descr.size() < 3 || std::string_view("<>|=").find(descr[0]) == std::string_view::npos) unsupported();
    const auto [end, error] = std::from_chars(descr.data() + 2, descr.data() + descr.size(), out_.width);
    if (error != std::errc{} || end != descr.data() + descr.size()) unsupported();
    out_.big_endian = descr[0] == '>';
    out_.kind = descr[1];
    const bool integer = out_.width == 1 || out_.width == 2 || out_.width == 4 || out_.width == 8;
    const bool known = ((out_.kind == 'i' || out_.kind == 'u') && integer) ||
                       (out_.kind == 'f' && integer && out_.width > 1) ||
                       (out_.kind == 'b' && out_.width == 1) ||
                       ((out_.kind == 'S' || out_.kind == 'U') && out_.width > 0 && out_.width < 1 << 16);
    if (!known) unsupported();
    if (out_.kind == 'U') out_.width *= 4;
  }
  void parse_shape() {
    expect('(');
    while (!accept(')')) {
      if (out_.shape.size() == 32) fail("more than 32 dimensions");
      peek();
      std::int64_t extent = 0;
      const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), extent);
      if (error != std::errc{} || extent < 0) fail("shape must be of numbers of at least 0, below 2^63");
      text_.remove_prefix(end - text_.data());
      out_.shape.push_back(extent);
      if (!accept(',') && peek() != ')') fail("',' or ')' expected");
    }
  }

  std::string_view text_;
  NpyArray& out_;
};

template <class T>
T load(const char* at, bool swap) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, at, sizeof(T));
  if (swap) std::reverse(bytes, bytes + sizeof(T));
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

template <class Out, class In>
bool holds(In value) {
  if constexpr (std::is_floating_point_v<Out>) {
    if constexpr (std::is_floating_point_v<In>) {
      return !std::isfinite(value) || std::isfinite(static_cast<Out>(value));
    }
    return true;
  } else if constexpr (std::is_floating_point_v<In>) {
    // ±2^31 and ±2^63 are exact in either float type; NaN fails both comparisons.
    const auto bound = std::ldexp(In{1}, std::numeric_limits<Out>::digits);
    return value >= -bound && value < bound && value == std::trunc(value);
  } else {
    return std::in_range<Out>(value);
  }
}

// decode: makes the number of what is stored.
template <class Stored, class Out, class Decode = std::identity>
void convert(const NpyArray& array, std::span<Out> out, const Decode& decode = {}) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto value = decode(load<Stored>(array.data.data() + i * sizeof(Stored), array.big_endian));
    if (!holds<Out>(value)) {
      throw Error(ErrorCode::format, fmt::format("{}: item {} is {}, which is not a {}", array.name, i, value,
                                                 std::is_integral_v<Out>
                                                     ? fmt::format("whole number of {} bits", 8 * sizeof(Out))
                                                     : "number within float32"));
    }
    out[i] = static_cast<Out>(value);  // NOLINT(bugprone-signed-char-misuse): an int8 is a number here
  }
}

std::string shape_text(const NpyArray& array) {
  return fmt::format("({})", fmt::join(array.shape, ", "));
}

template <class Out>
std::vector<Out> read_vector(const std::filesystem::path& path, std::int64_t max_bytes) {
  const std::string bytes = read_file(path, max_bytes);
  const NpyArray array = parse_npy(bytes, path.string());
  const auto long_sides =
      std::count_if(array.shape.begin(), array.shape.end(), [](auto n) { return n != 1; });
  if (array.shape.empty() || array.shape.size() > 2 || long_sides > 1) {
    throw Error(ErrorCode::format,
                fmt::format("{}: shape {}; a 1-D array is needed", array.name, shape_text(array)));
  }
  return npy_items<Out>(array);
}

template <class T>
constexpr std::string_view kDescr = std::is_same_v<T, float>          ? "<f4"
                                    : std::is_same_v<T, double>       ? "<f8"
                                    : std::is_same_v<T, std::int32_t> ? "<i4"
                                                                      : "<i8";

template <class T>
std::string_view as_bytes(const T* data, std::int64_t count) {
  return {reinterpret_cast<const char*>(data), static_cast<std::size_t>(count) * sizeof(T)};
}

template <class T>
void write_vector(const OutputPath& path, std::span<const T> values) {
  const std::int64_t shape[] = {static_cast<std::int64_t>(values.size())};
  AtomicFile file(path);
  file.write(npy_header(kDescr<T>, shape));
  file.write(as_bytes(values.data(), shape[0]));
  file.commit();
}

template <class T>
void write_matrix(const OutputPath& path, MatrixView<const T> matrix) {
  const std::int64_t shape[] = {matrix.rows, matrix.cols};
  AtomicFile file(path);
  file.write(npy_header(kDescr<T>, shape));
  for (std::int64_t r = 0; r < matrix.rows; ++r) file.write(as_bytes(matrix.row_data(r), matrix.cols));
  file.commit();
}

}  // namespace

std::int64_t NpyArray::size() const {
  return static_cast<std::int64_t>(data.size()) / width;
}

NpyArray parse_npy(std::string_view bytes, const std::string& name) {
  NpyArray array;
  array.name = name;
  const auto fail = [&](const std::string& what) { throw Error(ErrorCode::format, name + ": " + what); };
  constexpr std::string_view kMagic = "\x93NUMPY";
  if (bytes.substr(0, kMagic.size()) != kMagic) fail("no .npy array: it does not begin with \\x93NUMPY");
  if (bytes.size() < 10) fail("the .npy header is truncated");
  const int version = static_cast<unsigned char>(bytes[6]);
  if (version < 1 || version > 3) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{}: .npy version {}; 1 to 3 are supported", name, version));
  }
  const std::size_t start = version == 1 ? 10 : 12;
  if (bytes.size() < start) fail("the .npy header is truncated");
  const std::size_t length =
      version == 1 ? load<std::uint16_t>(&bytes[8], false) : load<std::uint32_t>(&bytes[8], false);
  if (length > bytes.size() - start) {
    fail(fmt::format("the .npy header of {} is truncated after {}", count_of(length, "byte"),
                     bytes.size() - start));
  }
  HeaderParser(bytes.substr(start, length), array).parse();
  array.data = bytes.substr(start + length);

  // Stop before a product exceeds the number of items in the file, so that none overflows.
  const std::uint64_t most = array.data.size() / array.width;
  std::uint64_t count = std::count(array.shape.begin(), array.shape.end(), 0) > 0 ? 0 : 1;
  for (const std::uint64_t extent : array.shape) {
    if (count > 0 && extent > most / count) {
      fail(fmt::format("shape {} needs more than the {} there are", shape_text(array),
                       count_of(array.data.size(), "byte")));
    }
    count *= extent;
  }
  if (array.data.size() != count * array.width) {
    fail(fmt::format("shape {} needs {}, there are {}", shape_text(array),
                     count_of(count * array.width, "byte"), array.data.size()));
  }
  return array;
}

namespace {

template <class Out>
void convert_items(const NpyArray& array, std::span<Out> out) {
  switch (array.kind) {
    case 'b':
      convert<std::uint8_t>(array, out);
      break;
    case 'f':
      switch (array.width) {
        case 2:
          convert<std::uint16_t>(array, out, from_half);
          break;
        case 4:
          convert<float>(array, out);
          break;
        default:
          convert<double>(array, out);
      }
      break;
    case 'i':
      switch (array.width) {
        case 1:
          convert<std::int8_t>(array, out);
          break;
        case 2:
          convert<std::int16_t>(array, out);
          break;
        case 4:
          convert<std::int32_t>(array, out);
          break;
        default:
          convert<std::int64_t>(array, out);
      }
      break;
    case 'u':
      switch (array.width) {
        case 1:
          convert<std::uint8_t>(array, out);
          break;
        case 2:
          convert<std::uint16_t>(array, out);
          break;
        case 4:
          convert<std::uint32_t>(array, out);
          break;
        default:
          convert<std::uint64_t>(array, out);
      }
      break;
    default:
      throw Error(ErrorCode::format, array.name + ": text where numbers should be");
  }
  if (array.kind == 'b') {
    for (Out& value : out) value = value != 0;
  }
}

}  // namespace

template <class Out>
std::vector<Out> npy_items(const NpyArray& array) {
  std::vector<Out> out(array.size());
  convert_items<Out>(array, out);
  return out;
}

template std::vector<std::int32_t> npy_items(const NpyArray&);
template std::vector<std::int64_t> npy_items(const NpyArray&);
template std::vector<float> npy_items(const NpyArray&);
template std::vector<double> npy_items(const NpyArray&);

template <class T>
Matrix<T> npy_matrix(const NpyArray& array) {
  if (array.shape.empty() || array.shape.size() > 2) {
    throw Error(ErrorCode::format,
                fmt::format("{}: shape {}; a 2-D array is needed", array.name, shape_text(array)));
  }
  const std::int64_t rows = array.shape[0], cols = array.shape.size() == 2 ? array.shape[1] : 1;
  Matrix<T> matrix(rows, cols);
  if (!array.fortran_order) {
    convert_items<T>(array, matrix.values());
    return matrix;
  }
  const std::vector<T> items = npy_items<T>(array);
  for (std::int64_t c = 0; c < cols && !items.empty(); ++c) {  // an empty array may state 2^62 columns
    for (std::int64_t r = 0; r < rows; ++r) matrix(r, c) = items[c * rows + r];
  }
  return matrix;
}

template Matrix<float> npy_matrix(const NpyArray&);
template Matrix<double> npy_matrix(const NpyArray&);

std::string npy_text(const NpyArray& array) {
  std::string text;
  if (!array.shape.empty() || array.size() != 1) return text;
  // The ASCII code of a UCS-4 character is its first byte or, big-endian, its last.
  const int step = array.kind == 'U' ? 4 : 1;
  if (array.kind != 'S' && array.kind != 'U') return text;
  for (int i = array.big_endian ? step - 1 : 0; i < array.width; i += step) {
    if (array.data[i] != '\0') text += array.data[i];
  }
  return text;
}

std::string npy_header(std::string_view descr, std::span<const std::int64_t> shape) {
  const std::string dictionary = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}",
                                             descr, fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  // Pad with spaces and a newline so that the data begins at a multiple of 64 bytes.
  const std::size_t length = (10 + dictionary.size() + 1 + 63) / 64 * 64 - 10;
  std::string out("\x93NUMPY\x01\x00", 8);
  out += static_cast<char>(length & 0xff);
  out += static_cast<char>(length >> 8);
  out += dictionary;
  out.append(length - dictionary.size() - 1, ' ');
  out += '\n';
  return out;
}

std::vector<std::int32_t> read_npy_int32(const std::filesystem::path& path, std::int64_t max_bytes) {
  return read_vector<std::int32_t>(path, max_bytes);
}
std::vector<std::int64_t> read_npy_int64(const std::filesystem::path& path, std::int64_t max_bytes) {
  return read_vector<std::int64_t>(path, max_bytes);
}

Matrix<float> read_npy_matrix(const std::filesystem::path& path, std::int64_t max_bytes) {
  const std::string bytes = read_file(path, max_bytes);
  return npy_matrix<float>(parse_npy(bytes, path.string()));
}
Matrix<double> read_npy_matrix_double(const std::filesystem::path& path, std::int64_t max_bytes) {
  const std::string bytes = read_file(path, max_bytes);
  return npy_matrix<double>(parse_npy(bytes, path.string()));
}

void write_npy(const OutputPath& path, std::span<const std::int32_t> values) {
  write_vector(path, values);
}
void write_npy(const OutputPath& path, std::span<const std::int64_t> values) {
  write_vector(path, values);
}
void write_npy(const OutputPath& path, std::span<const float> values) {
  write_vector(path, values);
}
void write_npy(const OutputPath& path, std::span<const double> values) {
  write_vector(path, values);
}
void write_npy(const OutputPath& path, MatrixView<const float> matrix) {
  write_matrix(path, matrix);
}
void write_npy(const OutputPath& path, MatrixView<const double> matrix) {
  write_matrix(path, matrix);
}

}  // namespace parsimony
