// bindings.hpp: analysis operators, learned from signals or images, and tested.
#include <fmt/format.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <utility>
#include <variant>

#include "arrays.hpp"
#include "bindings.hpp"
#include "options.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/operators/atlas.hpp"
#include "parsimony/operators/certify.hpp"
#include "parsimony/operators/learn.hpp"
#include "parsimony/operators/operator_file.hpp"
#include "results.hpp"
#include "run.hpp"

namespace parsimony::python {
namespace {

using operators::LearnOptions;
using Signals = Array2<float>;
using Images = std::vector<Array2<float>>;
using Operator = Array2<double>;

// Refuses a keyword that only the other method has.
template <class Chosen>
void refuse_others(const Chosen& chosen, const LearnOptions& options, const nb::dict& given,
                   const Call& call) {
  std::vector<std::string> known;
  const auto add = [&](const Field& field, const auto&) { known.emplace_back(field.name); };
  describe(options, add);
  describe(options.data, add);
  describe(chosen, add);
  for (const auto& [key, value] : given) {
    const std::string name = nb::cast<nb::str>(key).c_str();
    if (std::ranges::find(known, name) != known.end()) continue;
    refuse(fmt::format("{}: has no effect with option method {}; it belongs to the other one",
                       call.keyword(name), enum_name(options.method)));
  }
}

LearnOptions learn_options(const nb::dict& given, const std::optional<Operator>& initial, const Call& call) {
  LearnOptions options;
  Keywords keywords(given, call);
  describe(options.geometric, keywords);
  describe(options.untf, keywords);
  describe(options.data, keywords);
  describe(options, keywords);  // rows, zero_mean and seed are those of the call
  keywords.refuse_unknown();
  if (options.method == operators::LearnMethod::geometric) {
    refuse_others(options.geometric, options, given, call);
  } else {
    refuse_others(options.untf, options, given, call);
  }
  if (initial) options.geometric.initial = options.untf.initial = view_of(*initial);
  return options;
}

nb::dict learned_dict(operators::LearnedOperator&& learned) {
  nb::dict out;
  out["analysis_operator"] = array_of(std::move(learned.analysis_operator));
  out["signals"] = learned.signals.size() > 0 ? array_of(std::move(learned.signals)) : nb::none();
  out["samples"] = learned.samples;
  out["objective"] = learned.objective;
  out["report"] = report_text(learned.report);
  return out;
}

std::vector<Image> images_of(const Images& arrays) {
  std::vector<Image> out;
  for (const auto& array : arrays) out.push_back({.channels = {copy_of(view_of(array))}, .bits = 32});
  return out;
}

nb::dict learn_from_signals(const Signals& signals, const std::optional<Operator>& initial,
                            const nb::dict& given, const Call& call) {
  const LearnOptions options = learn_options(given, initial, call);
  return learned_dict(run(call, kLongWork, [&](const Context& context) {
    return operators::learn_operator(view_of(signals), options, context);
  }));
}

nb::dict learn_from_images(const Images& images, const std::optional<Operator>& initial,
                           const nb::dict& given, const Call& call) {
  const LearnOptions options = learn_options(given, initial, call);
  return learned_dict(run(call, kLongWork, [&](const Context& context) {
    return operators::learn_operator(images_of(images), options, context);
  }));
}

// The figures that both tests have; `clean` and `pair` add their own.
nb::dict certificate_dict(operators::CertifyResult&& found) {
  nb::dict out;
  out["verdict"] = std::string(enum_name(found.verdict));
  out["explanation"] = found.explanation;
  out["report"] = report_text(found.report());
  if (found.clean) {
    operators::OperatorCertificate& clean = *found.clean;
    out["objective"] = clean.objective;
    out["radius"] = clean.radius;
    out["basin"] = clean.basin;
    out["multiplier"] = clean.multiplier;
    out["zeros"] = clean.profile.zeros;
    out["zeros_per_signal"] = clean.profile.mean;
    out["largest_zero"] = clean.profile.largest_zero;
    out["smallest_nonzero"] = clean.profile.smallest_nonzero;
    out["dimension"] = clean.dimension;
    out["decrease"] = clean.decrease;
    out["direction"] = clean.direction.size() > 0 ? array_of(std::move(clean.direction)) : nb::none();
  } else {
    operators::PairCertificate& pair = *found.pair;
    out["objective"] = pair.objective;
    out["radius"] = pair.radius;
    out["multiplier"] = pair.multiplier;
    out["stationarity"] = pair.stationarity;
    out["curvature"] = pair.curvature;
    out["zeros"] = pair.zeros;
    out["dimension"] = pair.dimension;
    out["decrease"] = pair.decrease;
    out["direction"] = pair.direction.size() > 0 ? array_of(std::move(pair.direction)) : nb::none();
  }
  return out;
}

operators::CertifyOptions certify_options(const nb::dict& given, const Call& call) {
  operators::CertifyOptions options;
  Keywords keywords(given, call);
  describe(options, keywords);
  describe(options.data, keywords);
  keywords.refuse_unknown();
  return options;
}

nb::dict certify_on_signals(const Operator& tested, const Signals& signals, const nb::dict& given,
                            const Call& call) {
  const auto options = certify_options(given, call);
  return certificate_dict(run(call, kLongWork, [&](const Context& context) {
    return operators::certify(view_of(tested), view_of(signals), options, context);
  }));
}

nb::dict certify_on_images(const Operator& tested, const Images& images, const nb::dict& given,
                           const Call& call) {
  const auto options = certify_options(given, call);
  return certificate_dict(run(call, kLongWork, [&](const Context& context) {
    return operators::certify(view_of(tested), images_of(images), options, context);
  }));
}

nb::object atlas(const Operator& analysis_operator, const nb::dict& given, const Call& call) {
  const auto options = options_from<operators::AtlasOptions>(given, call);
  Image drawn = operators::atlas(view_of(analysis_operator), options);
  return array_of(std::move(drawn.channels.front()));
}

}  // namespace

void bind_operators(nb::module_& m) {
  offer_options<LearnOptions>(m, "learn_operator");
  offer_options<operators::GeometricLearningOptions>(m, "learn_operator_geometric");
  offer_options<operators::UntfLearningOptions>(m, "learn_operator_untf");
  offer_options<operators::SampleOptions>(m, "learn_operator_samples");
  offer_options<operators::CertifyOptions>(m, "certify_operator");
  offer_options<operators::AtlasOptions>(m, "atlas");
  m.def("learn_from_signals", &learn_from_signals, nb::arg("signals"), nb::arg("initial").none(),
        nb::arg("keywords"), nb::arg("call"));
  m.def("learn_from_images", &learn_from_images, nb::arg("images"), nb::arg("initial").none(),
        nb::arg("keywords"), nb::arg("call"));
  m.def("certify_on_signals", &certify_on_signals, nb::arg("analysis_operator"), nb::arg("signals"),
        nb::arg("keywords"), nb::arg("call"));
  m.def("certify_on_images", &certify_on_images, nb::arg("analysis_operator"), nb::arg("images"),
        nb::arg("keywords"), nb::arg("call"));
  m.def("atlas", &atlas, nb::arg("analysis_operator"), nb::arg("keywords"), nb::arg("call"));
  m.def("shipped_operator", [] { return array_of(operators::shipped_operator()); });
}

}  // namespace parsimony::python
