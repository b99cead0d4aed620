// bindings.hpp: weights in codes, and layers that compute with them.
#include "weights.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "bindings.hpp"
#include "options.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/quant/blocks.hpp"
#include "parsimony/quant/compress.hpp"
#include "parsimony/quant/decode.hpp"
#include "parsimony/quant/noise.hpp"
#include "parsimony/quant/packed_linear.hpp"
#include "parsimony/quant/product_quantizer.hpp"
#include "parsimony/quant/training_codes.hpp"
#include "released.hpp"
#include "run.hpp"

namespace parsimony::python {
namespace {

using quant::QuantizedTensor;

constexpr const char* kName = "layer.weight";  // the name under which a single weight is quantized

double work_of(std::span<const Weight> weights, double per_value) {
  double work = 0;
  for (const Weight& weight : weights) work += static_cast<double>(weight.size()) * per_value;
  return work;
}

// The bytes that the weight takes in a file, without its name.
std::int64_t bytes_of(const QuantizedTensor& tensor) {
  quant::CompactRecipe recipe;
  recipe.weights.push_back(quant::smallest_recipe_of("w", tensor));
  return quant::stored_bytes(recipe).front();
}

nb::dict state_of(const QuantizedTensor& t) {
  nb::dict state;
  state["shape"] = t.shape;
  state["scheme"] = std::string(enum_name(t.scheme));
  state["bits"] = t.bits;
  state["packed"] = nb::bytes(t.packed.data(), t.packed.size());
  state["scale"] = t.scale;
  state["zero_point"] = t.zero_point;
  state["group"] = t.group;
  state["levels"] = t.levels;
  state["layout"] = std::string(enum_name(t.layout));
  state["codebook"] = nb::none();
  if (t.codebook) {
    state["codebook"] = nb::make_tuple(array_of(Matrix<float>(t.codebook->centroids)),
                                       std::string(enum_name(t.codebook->type)), t.codebook->scales);
  }
  state["channel_permutation"] = t.channel_permutation;
  state["outputs"] = t.axes.outputs;
  state["inputs"] = t.axes.inputs;
  return state;
}

QuantizedTensor tensor_of(const nb::dict& state) {
  const auto take = [&](const char* name, auto& value) {
    value = nb::cast<std::remove_cvref_t<decltype(value)>>(state[name]);
  };
  const auto word = [&](const char* name) { return nb::cast<std::string>(state[name]); };
  QuantizedTensor t;
  take("shape", t.shape);
  t.scheme = value_named<quant::Scheme>(word("scheme"));
  take("bits", t.bits);
  const auto packed = nb::cast<nb::bytes>(state["packed"]);
  const auto* first = reinterpret_cast<const std::uint8_t*>(packed.c_str());
  t.packed = std::vector<std::uint8_t>(first, first + packed.size());
  take("scale", t.scale);
  take("zero_point", t.zero_point);
  take("group", t.group);
  take("levels", t.levels);
  t.layout = value_named<quant::BlockLayout>(word("layout"));
  if (!state["codebook"].is_none()) {
    const auto book = nb::cast<nb::tuple>(state["codebook"]);
    t.codebook = std::make_shared<const quant::Codebook>(
        quant::Codebook{copy_of(view_of(nb::cast<Array2<float>>(book[0]))),
                        value_named<quant::CodebookType>(nb::cast<std::string>(book[1])),
                        nb::cast<std::vector<float>>(book[2])});
  }
  take("channel_permutation", t.channel_permutation);
  take("outputs", t.axes.outputs);
  take("inputs", t.axes.inputs);
  quant::check_codes(t);
  return t;
}

std::pair<QuantizedTensor, double> quantize(const Weight& weight, const Call& call, const nb::dict& keywords,
                                            const std::optional<nb::bytes>& calibration) {
  auto options = options_from<quant::CompressOptions>(keywords, call);
  if (calibration) {
    options.calibration.emplace(std::string(calibration->c_str(), calibration->size()), "importance");
  }
  TensorView view;
  view.name = kName;
  view.shape = shape_of(weight);
  view.data = {reinterpret_cast<const std::uint8_t*>(weight.data()), weight.size() * sizeof(float)};
  return run(call, work_of({&weight, 1}, 100), [&](const Context& context) {
    const quant::ModelTensors model({&view, 1}, {}, "weight");
    quant::CompressionPlan plan = quant::plan_compression(model, options, context);
    if (plan.recipe.weights.empty()) {
      refuse("weight: cannot become codes: " + plan.left_alone.front().reason);
    }
    quant::QuantizedModel made = quant::quantize_model(model, std::move(plan), context);
    return std::pair(std::move(made.model.weights.front()), made.relative_mse.front());
  });
}

QuantizedTensor with_values(const QuantizedTensor& tensor, const Weight& weight) {
  if (shape_of(weight) != tensor.shape) refuse("weight: has another shape than the codes");
  return quant::with_values(tensor, {weight.data(), weight.size()});
}

std::vector<quant::WeightView> weight_views(const std::vector<Weight>& weights,
                                            const std::vector<std::optional<Array1<float>>>& importance,
                                            std::vector<std::vector<std::int64_t>>& shapes) {
  for (const Weight& weight : weights) shapes.push_back(shape_of(weight));
  std::vector<quant::WeightView> views;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    views.push_back({.values = {weights[i].data(), weights[i].size()}, .shape = shapes[i]});
    if (i < importance.size() && importance[i]) views.back().importance = span_of(*importance[i]);
  }
  return views;
}

nb::object decoded(const QuantizedTensor& tensor) {
  std::vector<float> values;
  {
    const Released released;
    values = quant::decode(tensor);
  }
  return array_of(std::move(values), tensor.shape);
}

void bind_tensor(nb::module_& m) {
  nb::class_<QuantizedTensor>(m, "QuantizedTensor", "A weight in codes.")
      .def_prop_ro(
          "shape", [](const QuantizedTensor& t) { return nb::tuple(nb::cast(t.shape)); },
          PARSIMONY_RETURNS("shape", "tuple[int, ...]"), "Shape of the weight.")
      .def_prop_ro(
          "scheme", [](const QuantizedTensor& t) { return std::string(enum_name(t.scheme)); },
          "'integer': a code for each value; 'product': a code for each block of values.")
      .def_prop_ro(
          "bits", [](const QuantizedTensor& t) { return t.bits; }, "Bits of a code.")
      .def_prop_ro("nbytes", &bytes_of, "Bytes of codes, scales and codebook in a compact file.")
      .def_prop_ro(
          "codes",
          [](const QuantizedTensor& t) {
            const std::int64_t count = quant::code_count(t);
            const std::int64_t rows = quant::coded_shape(t.shape, t.axes)[0];
            return array_of(quant::unpack_codes(t.packed, t.bits, count), {rows, count / rows});
          },
          PARSIMONY_RETURNS("codes", "numpy.typing.NDArray"), "The codes, uint16, a row for each output.")
      .def_prop_ro(
          "centroids",
          [](const QuantizedTensor& t) -> nb::object {
            return t.codebook ? array_of(Matrix<float>(t.codebook->centroids)) : nb::none();
          },
          PARSIMONY_RETURNS("centroids", "numpy.typing.NDArray | None"),
          "The codebook, K x d float32, or None.")
      .def_prop_ro(
          "scale", [](const QuantizedTensor& t) { return array_of(std::vector<float>(t.scale)); },
          PARSIMONY_RETURNS("scale", "numpy.typing.NDArray"),
          "One factor for all, for each output, or for each group of an output; empty for most products.")
      .def_prop_ro(
          "zero_point",
          [](const QuantizedTensor& t) { return array_of(std::vector<std::int32_t>(t.zero_point)); },
          PARSIMONY_RETURNS("zero_point", "numpy.typing.NDArray"),
          "Integers: the code of 0 for each scale; empty with levels.")
      .def_prop_ro(
          "levels", [](const QuantizedTensor& t) { return array_of(std::vector<float>(t.levels)); },
          PARSIMONY_RETURNS("levels", "numpy.typing.NDArray"),
          "The values that codes stand for; empty for whole numbers.")
      .def_prop_ro(
          "group", [](const QuantizedTensor& t) { return t.group; },
          "Values of an output that share a scale; 0: all.")
      .def_prop_ro(
          "layout", [](const QuantizedTensor& t) { return std::string(enum_name(t.layout)); },
          "Products: 'row' or 'input-channels'.")
      .def("decode", &decoded, PARSIMONY_RETURNS("decode", "numpy.typing.NDArray"), "The weight as float32.")
      .def(
          "__array__",
          [](const QuantizedTensor& t, const nb::object& dtype, const nb::object&) {
            const nb::object values = decoded(t);
            return dtype.is_none() ? values : values.attr("astype")(dtype);
          },
          nb::arg("dtype") = nb::none(), nb::arg("copy") = nb::none(),
          nb::sig("def __array__(self, dtype: object = None, copy: object = None) -> numpy.typing.NDArray"))
      .def(
          "__dlpack__",
          [](const QuantizedTensor& t, const nb::kwargs& keywords) {
            return decoded(t).attr("__dlpack__")(**keywords);
          },
          nb::sig("def __dlpack__(self, **keywords: object) -> object"))
      .def("__dlpack_device__", [](const QuantizedTensor&) { return nb::make_tuple(1, 0); })  // the CPU
      .def("__repr__",
           [](const QuantizedTensor& t) {
             return fmt::format("QuantizedTensor({}, {} of {} {}, {} {})", fmt::join(t.shape, " × "),
                                enum_name(t.scheme), t.bits, t.bits == 1 ? "bit" : "bits", bytes_of(t),
                                bytes_of(t) == 1 ? "byte" : "bytes");
           })
      .def("__getstate__", &state_of)
      .def("__setstate__", [](QuantizedTensor& self,
                              const nb::dict& state) { new (&self) QuantizedTensor(tensor_of(state)); })
      .def("shares_codebook", [](const QuantizedTensor& a, const QuantizedTensor& b) {
        return a.codebook != nullptr && a.codebook == b.codebook;
      });
}

void bind_quantizers(nb::module_& m) {
  m.def("quantize", &quantize, nb::arg("weight"), nb::arg("call"), nb::arg("keywords"),
        nb::arg("calibration").none() = nb::none());
  m.def(
      "product_quantize",
      [](const std::vector<Weight>& weights, const std::vector<std::optional<Array1<float>>>& importance,
         const Call& call, const nb::dict& keywords) {
        const auto options = options_from<quant::ProductOptions>(keywords, call);
        std::vector<std::vector<std::int64_t>> shapes;
        const auto views = weight_views(weights, importance, shapes);
        return run(call, work_of(weights, 100), [&](const Context& context) {
          return quant::product_quantize(views, options, context).tensors;
        });
      },
      nb::arg("weights"), nb::arg("importance"), nb::arg("call"), nb::arg("keywords"));
  m.def(
      "assign_codes",
      [](const std::vector<Weight>& weights, const QuantizedTensor& like, const Call& call) {
        if (!like.codebook) refuse("like: has no codebook");
        std::vector<std::vector<std::int64_t>> shapes;
        const auto views = weight_views(weights, {}, shapes);
        const quant::ProductOptions options{.layout = like.layout};
        return run(call, work_of(weights, 100), [&](const Context& context) {
          return quant::assign_codes(views, like.codebook, options, context);
        });
      },
      nb::arg("weights"), nb::arg("like"), nb::arg("call"));
  m.def(
      "integer_quantize",
      [](const Weight& weight, const Call& call, const nb::dict& keywords) {
        const auto options = options_from<quant::IntegerOptions>(keywords, call);
        const std::vector<std::int64_t> shape = shape_of(weight);
        return run(call, work_of({&weight, 1}, 100), [&](const Context& context) {
          return quant::integer_quantize({.values = {weight.data(), weight.size()}, .shape = shape}, options,
                                         {}, context);
        });
      },
      nb::arg("weight"), nb::arg("call"), nb::arg("keywords"));
  m.def("with_half_scales", &quant::with_half_scales, nb::arg("tensor"),
        "Integers whose scales are float16 values, as a file stores them; the codes then need with_values.");
  m.def("with_values", &with_values, nb::arg("tensor"), nb::arg("weight"),
        "The codes of these values by the scales and zero points of the tensor.");
  m.def(
      "with_centroids",
      [](std::vector<QuantizedTensor> tensors, const Array2<float>& centroids, const std::string& type) {
        const auto book = std::make_shared<const quant::Codebook>(
            quant::round_codebook(copy_of(view_of(centroids)), value_named<quant::CodebookType>(type)));
        for (QuantizedTensor& tensor : tensors) {
          tensor.codebook = book;
          quant::code_count(tensor);  // refuses a codebook that does not fit
        }
        return tensors;
      },
      nb::arg("tensors"), nb::arg("centroids"), nb::arg("type"));
  m.def(
      "codebook_index", [](const QuantizedTensor& tensor) { return array_of(quant::codebook_index(tensor)); },
      nb::sig("def codebook_index(tensor: QuantizedTensor) -> numpy.typing.NDArray"), nb::arg("tensor"),
      "For each value of the weight its index among the values of the codebook.");
  m.def(
      "with_axes",
      [](QuantizedTensor tensor, const std::vector<std::int64_t>& shape, const std::vector<int>& outputs,
         const std::vector<int>& inputs) {
        if (quant::coded_shape(shape, {outputs, inputs}) != tensor.shape)
          refuse("shape: does not fit the codes");
        tensor.shape = shape;
        tensor.axes = {outputs, inputs};
        return tensor;
      },
      nb::arg("tensor"), nb::arg("shape"), nb::arg("outputs"), nb::arg("inputs"));
  m.def(
      "layer_grid",
      [](const std::vector<std::int64_t>& shape, bool convolution, std::int64_t block_size,
         const std::string& layout) {
        const auto grid =
            quant::layer_grid(shape, convolution, block_size, value_named<quant::BlockLayout>(layout));
        return std::pair(grid.block_size, std::string(enum_name(grid.layout)));
      },
      nb::arg("shape"), nb::arg("convolution"), nb::arg("block_size"), nb::arg("layout"),
      "The size and layout of the blocks of a layer's weight; block_size 0: by the kind of layer.");
}

void bind_packed(nb::module_& m) {
  using quant::PackedEmbedding;
  using quant::PackedLinear;
  offer_options<quant::PackedLinearOptions>(m, "packed_linear");
  nb::class_<PackedLinear>(m, "PackedLinear")
      .def(
          "__init__",
          [](PackedLinear* self, const QuantizedTensor& weight, const std::optional<Array1<float>>& bias,
             const Call& call, const nb::dict& keywords) {
            const auto options = options_from<quant::PackedLinearOptions>(keywords, call);
            new (self) PackedLinear(weight, bias ? span_of(*bias) : std::span<const float>{}, options);
          },
          nb::arg("weight"), nb::arg("bias").none(), nb::arg("call"), nb::arg("keywords"))
      .def_prop_ro("inputs", &PackedLinear::inputs)
      .def_prop_ro("outputs", &PackedLinear::outputs)
      .def_prop_ro("nbytes", &PackedLinear::bytes)
      .def(
          "multiply",
          [](const PackedLinear& layer, const Array2<float>& x,
             const nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu>& y, int threads) {
            const Context context = context_until_end(threads);
            const Released released;
            layer.multiply(
                view_of(x),
                {y.data(), static_cast<std::int64_t>(y.shape(0)), static_cast<std::int64_t>(y.shape(1))},
                context);
          },
          nb::arg("x"), nb::arg("y"), nb::arg("threads"));
  nb::class_<PackedEmbedding>(m, "PackedEmbedding")
      .def(nb::init<QuantizedTensor>(), nb::arg("weight"))
      .def_prop_ro("rows", &PackedEmbedding::rows)
      .def_prop_ro("dimension", &PackedEmbedding::dimension)
      .def_prop_ro("nbytes", &PackedEmbedding::bytes)
      .def(
          "lookup",
          [](const PackedEmbedding& layer, const Array1<std::int64_t>& indices,
             const nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu>& out) {
            const Released released;
            layer.lookup(span_of(indices), {out.data(), static_cast<std::int64_t>(out.shape(0)),
                                            static_cast<std::int64_t>(out.shape(1))});
          },
          nb::arg("indices"), nb::arg("out"));
}

}  // namespace

std::vector<TensorView> views_of(const std::vector<Tensor>& tensors) {
  std::vector<TensorView> views;
  for (const auto& [name, dtype, shape, data] : tensors) {
    TensorView view;
    view.name = name;
    view.dtype = value_named<DType>(dtype);
    view.shape = shape;
    view.data = {data.data(), data.size()};
    views.push_back(std::move(view));
  }
  return views;
}

void bind_weights(nb::module_& m) {
  bind_tensor(m);
  bind_quantizers(m);
  bind_packed(m);
}

}  // namespace parsimony::python
