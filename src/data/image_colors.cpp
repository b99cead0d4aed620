#include "parsimony/data/image_colors.hpp"

namespace parsimony::data {

ImageColors image_colors(Normalization normalization, bool lite) {
  if (normalization == Normalization::by_network && lite) normalization = Normalization::centered;
  switch (normalization) {
    case Normalization::centered:
      return {{127.F / 255, 127.F / 255, 127.F / 255}, {128.F / 255, 128.F / 255, 128.F / 255}};
    case Normalization::cifar10:
      return {{0.4914F, 0.4822F, 0.4465F}, {0.2470F, 0.2435F, 0.2616F}};
    default:
      return {{0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}};
  }
}

}  // namespace parsimony::data
