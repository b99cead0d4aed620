// A small RGB image: rectangles, text, PNG.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parsimony::cluster {

struct Color {
  double red = 0, green = 0, blue = 0;  ///< sRGB, 0 to 1
};

Color mix(Color from, Color to, double share);

/// A white picture. Coordinates are in pixels from the upper left corner; drawing outside is cut off.
class Canvas {
 public:
  Canvas(int width, int height);

  /// Edges between pixels are blended, so that bars thinner than a pixel stay visible.
  void fill(double left, double top, double right, double bottom, Color color);

  /// Lower-case text of the given height of its capitals; at: the left end, the middle or the right end of
  /// its base line. Letters are strokes: a–z, 0–9, . , - = / and λ (as '\\'); other characters are left
  /// blank.
  enum class Align { left, middle, right };
  void text(double x, double y, std::string_view text, double height, Color color, Align align = Align::left);
  static double text_width(std::string_view text, double height);

  /// A line with round ends.
  void stroke(double x0, double y0, double x1, double y1, double width, Color color);

  std::string png() const;

 private:
  void blend(int x, int y, Color color, double cover);

  int width_, height_;
  std::vector<std::uint8_t> pixels_;
};

}  // namespace parsimony::cluster
