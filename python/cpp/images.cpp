// bindings.hpp: denoising and inpainting of images. Images come as channels × height × width on the scale 0
// to 255.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <utility>

#include "arrays.hpp"
#include "bindings.hpp"
#include "options.hpp"
#include "parsimony/core/image.hpp"
#include "parsimony/images/denoise.hpp"
#include "parsimony/images/noise_level.hpp"
#include "results.hpp"
#include "run.hpp"

namespace parsimony::python {
namespace {

using Planes = Array3<float>;
using Operator = std::optional<Array2<double>>;

// The library's images own their channels: this is the one copy of an image.
Image image_of(const Planes& planes, bool alpha, int bits) {
  Image out{.bits = bits, .alpha = alpha};
  const auto height = static_cast<std::int64_t>(planes.shape(1)),
             width = static_cast<std::int64_t>(planes.shape(2));
  for (std::size_t channel = 0; channel < planes.shape(0); ++channel) {
    const float* first = planes.data() + static_cast<std::int64_t>(channel) * height * width;
    out.channels.push_back(copy_of(MatrixView<const float>(first, height, width)));
  }
  return out;
}

// With the values of a file of the image's bits, so that an array of whole numbers is rounded as a file is.
nb::object planes_of(const Image& image) {
  const Image stored = as_stored(image);
  std::vector<float> values;
  for (const Matrix<float>& channel : stored.channels) {
    values.insert(values.end(), channel.values().begin(), channel.values().end());
  }
  return array_of(std::move(values), {std::ssize(stored.channels), stored.height(), stored.width()});
}

nb::list reports_of(const std::vector<Report>& reports) {
  nb::list out;
  for (const Report& report : reports) out.append(report_text(report));
  return out;
}

Matrix<double> operator_of(const Operator& given) {
  return given ? copy_of(view_of(*given)) : Matrix<double>{};
}

nb::dict denoise(const Planes& planes, bool alpha, int bits, const Operator& analysis_operator,
                 const std::optional<std::string>& flow, const nb::dict& given, const Call& call) {
  auto options = options_from<images::DenoiseOptions>(given, call);
  options.analysis_operator = operator_of(analysis_operator);
  images::DenoiseResult found = run(call, kLongWork, [&](const Context& context) {
    if (flow) options.own_flow = images::load_unrolled_flow(*flow, context.memory_left());
    return images::denoise(image_of(planes, alpha, bits), options, context);
  });
  nb::dict out;
  out["image"] = planes_of(found.image);
  out["sigmas"] = array_of(std::move(found.sigmas));
  out["reports"] = reports_of(found.reports);
  return out;
}

nb::dict inpaint(const Planes& planes, bool alpha, int bits, const Array3<float>& mask,
                 const Operator& analysis_operator, const nb::dict& given, const Call& call) {
  auto options = options_from<images::InpaintOptions>(given, call);
  options.analysis_operator = operator_of(analysis_operator);
  const images::InpaintResult found = run(call, kLongWork, [&](const Context& context) {
    return images::inpaint(image_of(planes, alpha, bits), image_of(mask, false, 32), options, context);
  });
  nb::dict out;
  out["image"] = planes_of(found.image);
  out["missing"] = found.missing;
  out["reports"] = reports_of(found.reports);
  return out;
}

nb::object estimate_sigmas(const Planes& planes, bool alpha, int bits, const Call& call) {
  return array_of(run(call, kLongWork, [&](const Context& context) {
    return images::estimate_sigmas(image_of(planes, alpha, bits), context);
  }));
}

nb::dict quality(const Planes& planes, const Planes& reference, const Call& call) {
  const images::Quality found = run(call, kLongWork, [&](const Context& context) {
    return images::quality(image_of(planes, false, 32), image_of(reference, false, 32), context);
  });
  nb::dict out;
  out["psnr"] = found.psnr;
  out["ssim"] = found.ssim;
  return out;
}

}  // namespace

void bind_images(nb::module_& m) {
  offer_options<images::DenoiseOptions>(m, "denoise");
  offer_options<images::InpaintOptions>(m, "inpaint");
  m.def("denoise", &denoise, nb::arg("planes"), nb::arg("alpha"), nb::arg("bits"),
        nb::arg("analysis_operator").none(), nb::arg("flow").none(), nb::arg("keywords"), nb::arg("call"));
  m.def("inpaint", &inpaint, nb::arg("planes"), nb::arg("alpha"), nb::arg("bits"), nb::arg("mask"),
        nb::arg("analysis_operator").none(), nb::arg("keywords"), nb::arg("call"));
  m.def("estimate_sigmas", &estimate_sigmas, nb::arg("planes"), nb::arg("alpha"), nb::arg("bits"),
        nb::arg("call"));
  m.def("quality", &quality, nb::arg("planes"), nb::arg("reference"), nb::arg("call"));
}

}  // namespace parsimony::python
