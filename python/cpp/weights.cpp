// bindings.hpp: weights in codes, and layers that compute with them.
#include "weights.hpp"

#include <fmt/format.h>
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

nb::tuple state_of(const QuantizedTensor& t) {
  nb::object book = nb::none();
  if (t.codebook) {
    book = nb::make_tuple(array_of(Matrix<float>(t.codebook->centroids)),
                          std::string(enum_name(t.codebook->type)), t.codebook->scales);
  }
  return nb::make_tuple(t.shape, std::string(enum_name(t.scheme)), t.bits,
                        nb::bytes(t.packed.data(), t.packed.size()), t.scale, t.zero_point, t.group, t.levels,
                        std::string(enum_name(t.layout)), book, t.channel_permutation, t.axes.outputs,
                        t.axes.inputs);
}

QuantizedTensor tensor_of(const nb::tuple& state) {
  QuantizedTensor t;
  t.shape = nb::cast<std::vector<std::int64_t>>(state[0]);
  t.scheme = value_named<quant::Scheme>(nb::cast<std::string>(state[1]));
  t.bits = nb::cast<int>(state[2]);
  const auto packed = nb::cast<nb::bytes>(state[3]);
  const auto* first = reinterpret_cast<const std::uint8_t*>(packed.c_str());
  t.packed.assign(first, first + packed.size());
  t.scale = nb::cast<std::vector<float>>(state[4]);
  t.zero_point = nb::cast<std::vector<std::int32_t>>(state[5]);
  t.group = nb::cast<std::int64_t>(state[6]);
  t.levels = nb::cast<std::vector<float>>(state[7]);
  t.layout = value_named<quant::BlockLayout>(nb::cast<std::string>(state[8]));
  if (!state[9].is_none()) {
    const auto book = nb::cast<nb::tuple>(state[9]);
    const auto centroids = view_of(nb::cast<Array2<float>>(book[0]));
    Matrix<float> values(centroids.rows, centroids.cols);
    std::copy_n(centroids.data, values.size(), values.data());
    t.codebook = std::make_shared<const quant::Codebook>(
        quant::Codebook{std::move(values), value_named<quant::CodebookType>(nb::cast<std::string>(book[1])),
                        nb::cast<std::vector<float>>(book[2])});
  }
  t.channel_permutation = nb::cast<std::vector<std::int32_t>>(state[10]);
  t.axes = {nb::cast<std::vector<int>>(state[11]), nb::cast<std::vector<int>>(state[12])};
  if ((quant::code_count(t) * t.bits + 7) / 8 != std::ssize(t.packed)) {
    refuse(fmt::format("codes: {} bytes do not fit {} codes of {} bits", t.packed.size(),
                       quant::code_count(t), t.bits));
  }
  quant::decode(t);  // refuses parts that do not fit together, and codes without a centroid
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

QuantizedTensor with_half_scales(QuantizedTensor tensor) {
  for (std::size_t i = 0; i < tensor.scale.size(); ++i) {
    if (!quant::half_scale_fits(tensor.scale[i])) continue;
    const quant::AffineCode half = quant::with_half_scale({tensor.scale[i], tensor.zero_point.at(i)});
    tensor.scale[i] = half.scale;
    tensor.zero_point[i] = half.zero_point;
  }
  return tensor;
}

QuantizedTensor with_integers(QuantizedTensor tensor, const Weight& weight) {
  const std::size_t scales = tensor.scale.size();
  if (scales == 0 || tensor.zero_point.size() != scales || weight.size() % scales != 0 ||
      shape_of(weight) != tensor.shape) {
    refuse("weight: has another shape than the codes, or these have no zero points");
  }
  std::vector<std::uint16_t> codes;
  codes.reserve(weight.size());
  const std::size_t each = weight.size() / scales;
  for (std::size_t i = 0; i < weight.size(); ++i) {
    const quant::AffineCode code{tensor.scale[i / each], tensor.zero_point[i / each]};
    codes.push_back(quant::integer_code(weight.data()[i], code, tensor.bits));
  }
  tensor.packed = quant::pack_codes(codes, tensor.bits);
  return tensor;
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
      .def(
          "decode",
          [](const QuantizedTensor& t) {
            std::vector<float> values;
            {
              const nb::gil_scoped_release released;
              values = quant::decode(t);
            }
            return array_of(std::move(values), t.shape);
          },
          PARSIMONY_RETURNS("decode", "numpy.typing.NDArray"), "The weight as float32.")
      .def("__getstate__", &state_of)
      .def("__setstate__", [](QuantizedTensor& self,
                              const nb::tuple& state) { new (&self) QuantizedTensor(tensor_of(state)); })
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
  m.def(
      "with_half_scales", &with_half_scales, nb::arg("tensor"),
      "Integers whose scales are float16 values, as a file stores them; the codes then need with_integers.");
  m.def("with_integers", &with_integers, nb::arg("tensor"), nb::arg("weight"),
        "The codes of these values by the scales and zero points of the tensor.");
  m.def(
      "with_centroids",
      [](std::vector<QuantizedTensor> tensors, const Array2<float>& centroids, const std::string& type) {
        const auto given = view_of(centroids);
        Matrix<float> values(given.rows, given.cols);
        std::copy_n(given.data, values.size(), values.data());
        const auto book = std::make_shared<const quant::Codebook>(
            quant::round_codebook(std::move(values), value_named<quant::CodebookType>(type)));
        for (QuantizedTensor& tensor : tensors) {
          tensor.codebook = book;
          quant::code_count(tensor);  // refuses a codebook that does not fit
        }
        return tensors;
      },
      nb::arg("tensors"), nb::arg("centroids"), nb::arg("type"));
  m.def(
      "value_index",
      [](const QuantizedTensor& tensor) {
        if (!tensor.codebook || !tensor.axes.standard()) refuse("tensor: needs product codes, outputs first");
        const std::int64_t d = tensor.codebook->centroids.cols();
        const quant::BlockGrid grid = quant::block_grid(tensor.shape, d, tensor.layout);
        const auto offsets = quant::block_offsets(grid, tensor.channel_permutation);
        const auto codes = quant::unpack_codes(tensor.packed, tensor.bits, quant::code_count(tensor));
        const std::int64_t values = grid.values_per_output(), each = grid.blocks_per_output();
        std::vector<std::int64_t> index(static_cast<std::size_t>(grid.outputs * values));
        for (std::int64_t o = 0; o < grid.outputs; ++o) {
          for (std::int64_t j = 0; j < each * d; ++j) {
            if (offsets[j] >= 0) index[o * values + offsets[j]] = codes[o * each + j / d] * d + j % d;
          }
        }
        return array_of(std::move(index), {grid.outputs * values});
      },
      nb::sig("def value_index(tensor: QuantizedTensor) -> numpy.typing.NDArray"), nb::arg("tensor"),
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
            const nb::gil_scoped_release released;
            layer.multiply(
                view_of(x),
                {y.data(), static_cast<std::int64_t>(y.shape(0)), static_cast<std::int64_t>(y.shape(1))},
                Context(threads));
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
            const nb::gil_scoped_release released;
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
