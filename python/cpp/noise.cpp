// bindings.hpp: quantization noise on the weights of a network in training.
#include "parsimony/quant/noise.hpp"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>

#include <optional>

#include "bindings.hpp"
#include "options.hpp"
#include "released.hpp"
#include "run.hpp"
#include "weights.hpp"

namespace parsimony::python {
namespace {

using quant::BlockGrid;
using quant::NoiseOptions;

// The noise of one layer: its options, and the blocks of its weight.
struct LayerNoise {
  NoiseOptions options;
  BlockGrid grid;
  std::uint64_t layer;
  std::int64_t kept_row;

  quant::Draw draw(std::int64_t step) const {
    return {quant::noise_rate(options, step), static_cast<std::uint64_t>(step), layer, kept_row};
  }
};

using Out = nb::ndarray<float, nb::c_contig, nb::device::cpu>;
using Mask = nb::ndarray<std::uint8_t, nb::c_contig, nb::device::cpu>;

std::pair<std::int64_t, std::int64_t> apply(const LayerNoise& self, const Weight& weight, std::int64_t step,
                                            const std::optional<Array2<float>>& codebook, const Out& noised,
                                            const std::optional<Mask>& drawn, int threads) {
  const std::span<std::uint8_t> mask =
      drawn ? std::span(drawn->data(), drawn->size()) : std::span<std::uint8_t>{};
  const Context context = context_until_end(threads);
  const Released released;
  const auto blocks =
      quant::noise_weight({weight.data(), weight.size()}, self.grid, self.options, self.draw(step),
                          codebook ? view_of(*codebook) : MatrixView<const float>{},
                          {noised.data(), noised.size()}, mask, context);
  return {blocks.all, blocks.drawn};
}

}  // namespace

void bind_noise(nb::module_& m) {
  offer_options<NoiseOptions>(m, "noise");
  nb::class_<LayerNoise>(m, "LayerNoise", "Quantization noise on the weight of one layer.")
      .def(
          "__init__",
          [](LayerNoise* self, const std::vector<std::int64_t>& shape, bool convolution, std::int64_t layer,
             std::int64_t kept_row, const Call& call, const nb::dict& keywords) {
            const auto options = options_from<NoiseOptions>(keywords, call);
            validate_fields(options);
            new (self)
                LayerNoise{options, quant::layer_grid(shape, convolution, options.block_size, options.layout),
                           static_cast<std::uint64_t>(layer), kept_row};
          },
          nb::arg("shape"), nb::arg("convolution"), nb::arg("layer"), nb::arg("kept_row"), nb::arg("call"),
          nb::arg("keywords"))
      .def_prop_ro("function", [](const LayerNoise& n) { return std::string(enum_name(n.options.function)); })
      .def_prop_ro("bits", [](const LayerNoise& n) { return n.options.bits; })
      .def_prop_ro("granularity",
                   [](const LayerNoise& n) { return std::string(enum_name(n.options.granularity)); })
      .def_prop_ro("range", [](const LayerNoise& n) { return std::string(enum_name(n.options.range)); })
      .def_prop_ro("refresh_steps", [](const LayerNoise& n) { return n.options.refresh_steps; })
      .def_prop_ro("block_size", [](const LayerNoise& n) { return n.grid.block_size; })
      .def_prop_ro("layout", [](const LayerNoise& n) { return std::string(enum_name(n.grid.layout)); })
      .def(
          "rate", [](const LayerNoise& n, std::int64_t step) { return quant::noise_rate(n.options, step); },
          nb::arg("step"))
      .def(
          "offsets",
          [](const LayerNoise& n) {
            return array_of(quant::block_offsets(n.grid), {n.grid.blocks_per_output(), n.grid.block_size});
          },
          PARSIMONY_RETURNS("offsets", "numpy.typing.NDArray"))
      .def(
          "drawn",
          [](const LayerNoise& n, std::int64_t step, int threads) {
            const Context context = context_until_end(threads);
            std::vector<std::uint8_t> mask;
            {
              const Released released;
              mask = quant::draw_blocks(n.grid, n.options, n.draw(step), context);
            }
            const auto count = static_cast<std::int64_t>(mask.size());
            return array_of(std::move(mask), {n.grid.outputs, count / n.grid.outputs});
          },
          nb::arg("step"), nb::arg("threads"),
          nb::sig("def drawn(self, step: int, threads: int) -> numpy.typing.NDArray"))
      .def("apply", &apply, nb::arg("weight"), nb::arg("step"), nb::arg("codebook").none(), nb::arg("noised"),
           nb::arg("drawn").none(), nb::arg("threads"))
      .def(
          "learn",
          [](const LayerNoise& n, const Weight& weight, const std::optional<Array2<float>>& initial,
             const Call& call) {
            return array_of(
                run(call, 100.0 * static_cast<double>(weight.size()), [&](const Context& context) {
                  return quant::learn_noise_codebook(
                      {weight.data(), weight.size()}, n.grid, n.options, n.kept_row,
                      initial ? view_of(*initial) : MatrixView<const float>{}, context);
                }));
          },
          nb::arg("weight"), nb::arg("initial").none(), nb::arg("call"),
          nb::sig("def learn(self, weight: numpy.typing.NDArray, initial: numpy.typing.NDArray | None, call: "
                  "Call) -> numpy.typing.NDArray"))
      .def(
          "rounded",
          [](const LayerNoise& n, const Array2<float>& codebook) {
            return array_of(quant::noise_codebook(view_of(codebook), n.options));
          },
          nb::arg("codebook"),
          nb::sig("def rounded(self, codebook: numpy.typing.NDArray) -> numpy.typing.NDArray"));
}

}  // namespace parsimony::python
