#include "cluster/pictures/canvas.hpp"

#include <algorithm>
#include <cmath>

#include "core/images/png_format.hpp"

namespace parsimony::cluster {
namespace {

// Letters as strokes on a grid of 1/6 of the height: lines of points "xy", a blank lifts the pen. y: 0 top,
// 2 top of small letters, 6 base line, 8 descenders.
struct Glyph {
  char letter;
  const char* lines;
};
constexpr Glyph kGlyphs[] = {
    {'0', "103041453616050110"},
    {'1', "022026"},
    {'2', "01103041420646"},
    {'3', "0110304142334445361605 1333"},
    {'4', "36300444"},
    {'5', "400003334445361605"},
    {'6', "4130100105163645443303"},
    {'7', "004016"},
    {'8', "103041423313020110 133344453616050413"},
    {'9', "0516364541301001021343"},
    {'a', "4246 4332120305163645"},
    {'b', "0006 0312324345361605"},
    {'c', "4332120305163645"},
    {'d', "4046 4332120305163645"},
    {'e', "04444332120305163645"},
    {'f', "30201116 0222"},
    {'g', "4247381807 4332120305163645"},
    {'h', "0006 0312324346"},
    {'i', "0206 0000"},
    {'j', "22271808 2020"},
    {'k', "0006 3205 1436"},
    {'l', "0006"},
    {'m', "0206 0312223336 3342526366"},
    {'n', "0206 0312324346"},
    {'o', "123243453616050312"},
    {'p', "0208 0312324345361605"},
    {'q', "4248 4332120305163645"},
    {'r', "0206 03122232"},
    {'s', "43321203143445361605"},
    {'t', "10152636 0232"},
    {'u', "0205163645 4246"},
    {'v', "022642"},
    {'w', "0216335662"},
    {'x', "0246 4206"},
    {'y', "0225 4208"},
    {'z', "02420646"},
    {'\\', "001046 2306"},  // λ
    {'.', "0606"},
    {',', "0607"},
    {'-', "0434"},
    {'+', "0444 2226"},
    {'=', "0333 0535"},
    {'/', "0640"},
};
constexpr double kGap = 1.9;    // between letters
constexpr double kSpace = 1.5;  // a blank, beside its gaps
constexpr double kStroke = 0.72;

const char* lines_of(char letter) {
  const auto* found = std::find_if(std::begin(kGlyphs), std::end(kGlyphs),
                                   [&](const Glyph& g) { return g.letter == letter; });
  return found == std::end(kGlyphs) ? nullptr : found->lines;
}

double advance(const char* lines) {
  if (lines == nullptr) return kSpace + kGap;
  double width = 0;
  for (const char* point = lines; *point != 0; point += *point == ' ' ? 1 : 2) {
    if (*point != ' ') width = std::max(width, static_cast<double>(*point - '0'));
  }
  return width + kGap;
}

}  // namespace

Color mix(Color from, Color to, double share) {
  return {from.red + share * (to.red - from.red), from.green + share * (to.green - from.green),
          from.blue + share * (to.blue - from.blue)};
}

Canvas::Canvas(int width, int height)
    : width_(width),
      height_(height),
      pixels_(std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 255) {}

void Canvas::blend(int x, int y, Color color, double cover) {
  std::uint8_t* pixel = &pixels_[std::size_t{3} * static_cast<std::size_t>(y * width_ + x)];
  const double channels[] = {color.red, color.green, color.blue};
  for (int c = 0; c < 3; ++c) {
    pixel[c] = static_cast<std::uint8_t>(std::lround(pixel[c] + cover * (255 * channels[c] - pixel[c])));
  }
}

void Canvas::fill(double left, double top, double right, double bottom, Color color) {
  const auto overlap = [](double low, double high, int pixel) {
    return std::clamp(std::min(high, pixel + 1.0) - std::max(low, static_cast<double>(pixel)), 0.0, 1.0);
  };
  const int last_x = std::min(width_, static_cast<int>(std::ceil(right)));
  const int last_y = std::min(height_, static_cast<int>(std::ceil(bottom)));
  for (int y = std::max(0, static_cast<int>(top)); y < last_y; ++y) {
    for (int x = std::max(0, static_cast<int>(left)); x < last_x; ++x) {
      blend(x, y, color, overlap(left, right, x) * overlap(top, bottom, y));
    }
  }
}

void Canvas::stroke(double x0, double y0, double x1, double y1, double width, Color color) {
  const double reach = width / 2 + 1;
  const double dx = x1 - x0, dy = y1 - y0, squared = dx * dx + dy * dy;
  const int last_x = std::min(width_ - 1, static_cast<int>(std::max(x0, x1) + reach));
  const int last_y = std::min(height_ - 1, static_cast<int>(std::max(y0, y1) + reach));
  for (int y = std::max(0, static_cast<int>(std::min(y0, y1) - reach)); y <= last_y; ++y) {
    for (int x = std::max(0, static_cast<int>(std::min(x0, x1) - reach)); x <= last_x; ++x) {
      const double px = x + 0.5 - x0, py = y + 0.5 - y0;
      const double along = squared > 0 ? std::clamp((px * dx + py * dy) / squared, 0.0, 1.0) : 0;
      const double away = std::hypot(px - along * dx, py - along * dy);
      blend(x, y, color, std::clamp(width / 2 + 0.5 - away, 0.0, 1.0));
    }
  }
}

double Canvas::text_width(std::string_view text, double height) {
  double width = -kGap;
  for (const char letter : text) width += advance(lines_of(letter));
  return std::max(0.0, width) * height / 6;
}

void Canvas::text(double x, double y, std::string_view text, double height, Color color, Align align) {
  const double unit = height / 6;
  if (align == Align::middle) x -= text_width(text, height) / 2;
  if (align == Align::right) x -= text_width(text, height);
  for (const char letter : text) {
    const char* lines = lines_of(letter);
    double pen_x = 0, pen_y = 0;
    bool down = false;
    for (const char* point = lines; point != nullptr && *point != 0;) {
      if (*point == ' ') {
        down = false;
        ++point;
        continue;
      }
      const double to_x = x + unit * (point[0] - '0');
      const double to_y = y + unit * (point[1] - '0' - 6);
      if (down) stroke(pen_x, pen_y, to_x, to_y, kStroke * unit, color);
      pen_x = to_x;
      pen_y = to_y;
      down = true;
      point += 2;
    }
    x += unit * advance(lines);
  }
}

std::string Canvas::png() const {
  return encode_png({.width = width_,
                     .height = height_,
                     .channels = 3,
                     .bytes = std::string(pixels_.begin(), pixels_.end())});
}

}  // namespace parsimony::cluster
