// bindings.hpp: compact files.
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/variant.h>

#include <filesystem>
#include <map>
#include <optional>
#include <variant>

#include "bindings.hpp"
#include "options.hpp"
#include "parsimony/quant/compact_file.hpp"
#include "parsimony/quant/compress.hpp"
#include "parsimony/quant/decode.hpp"
#include "run.hpp"
#include "weights.hpp"

namespace parsimony::python {
namespace {

using Path = std::filesystem::path;
using Metadata = std::map<std::string, std::string>;

TensorMetadata metadata_of(const Metadata& given) {
  return {given.begin(), given.end()};
}
Metadata metadata_of(const TensorMetadata& given) {
  return {given.begin(), given.end()};
}

// One dict for each weight. The tied names are among the values of "aliases".
nb::dict recipe_of(const quant::CompactRecipe& recipe, std::span<const double> relative_mse) {
  nb::list weights, others;
  const std::vector<std::int64_t> bytes = quant::stored_bytes(recipe);
  for (std::size_t i = 0; i < recipe.weights.size(); ++i) {
    const quant::WeightRecipe& weight = recipe.weights[i];
    nb::dict entry;
    entry["name"] = weight.name;
    entry["shape"] = nb::tuple(nb::cast(weight.shape));
    entry["dtype"] = std::string(enum_name(weight.dtype));
    entry["scheme"] = std::string(enum_name(weight.scheme));
    entry["bits"] = weight.bits;
    entry["group"] = weight.group;
    entry["levels"] = weight.levels != quant::LevelKind::uniform;
    entry["block_size"] = weight.block_size;
    entry["centroids"] = weight.centroids;
    entry["layout"] = std::string(enum_name(weight.layout));
    entry["bytes"] = bytes[i];
    entry["model_bytes"] = TensorInfo{weight.name, weight.dtype, weight.shape}.bytes();
    entry["relative_mse"] = relative_mse.empty() ? nb::object(nb::none()) : nb::cast(relative_mse[i]);
    weights.append(entry);
  }
  for (const quant::OtherRecipe& other : recipe.others) others.append(other.name);
  nb::dict out;
  out["weights"] = weights;
  out["others"] = others;
  out["aliases"] = metadata_of(recipe.aliases);
  return out;
}

using Calibration = std::optional<std::variant<Path, nb::bytes>>;

quant::CompressOptions options_of(const nb::dict& keywords, const Call& call,
                                  const Calibration& calibration) {
  auto options = options_from<quant::CompressOptions>(keywords, call);
  if (!calibration) return options;
  if (const auto* path = std::get_if<Path>(&*calibration)) {
    options.calibration.emplace(*path);
  } else {
    const auto& bytes = std::get<nb::bytes>(*calibration);
    options.calibration.emplace(std::string(bytes.c_str(), bytes.size()), "calibration");
  }
  return options;
}

nb::tuple quantize_model(const std::vector<Tensor>& model, const Call& call, const nb::dict& keywords,
                         const Calibration& calibration) {
  const auto options = options_of(keywords, call, calibration);
  const std::vector<TensorView> views = views_of(model);
  const quant::QuantizedModel made = run(call, kLongWork, [&](const Context& context) {
    const quant::ModelTensors tensors(views);
    return quant::quantize_model(tensors, quant::plan_compression(tensors, options, context), context);
  });
  nb::dict codes;
  for (std::size_t i = 0; i < made.model.weights.size(); ++i) {
    codes[made.model.recipe.weights[i].name.c_str()] = made.model.weights[i];
  }
  return nb::make_tuple(codes, metadata_of(made.model.recipe.aliases));
}

nb::dict compress(const std::variant<Path, std::vector<Tensor>>& model, const Metadata& metadata,
                  const std::optional<Path>& output, const Call& call, const nb::dict& keywords,
                  const Calibration& calibration) {
  const auto options = options_of(keywords, call, calibration);
  const OutputPath to(output.value_or(Path{}));
  std::vector<TensorView> views;
  if (const auto* tensors = std::get_if<std::vector<Tensor>>(&model)) views = views_of(*tensors);
  const quant::Compression made = run(call, kLongWork, [&](const Context& context) {
    if (const auto* path = std::get_if<Path>(&model)) return quant::compress(*path, to, options, context);
    return quant::compress(quant::ModelTensors(views, metadata_of(metadata)), to, options, context);
  });
  nb::dict out = recipe_of(made.recipe, made.relative_mse);
  nb::list left_alone;
  for (const quant::LeftAlone& left : made.left_alone) {
    left_alone.append(nb::make_tuple(left.name, left.reason, left.expected));
  }
  out["left_alone"] = left_alone;
  out["bytes"] = made.bytes;
  out["model_bytes"] = made.model_bytes;
  out["report"] = made.report.to_json(-1);
  return out;
}

// The values of a tensor as bytes that Python may change.
nb::object bytes_of(std::span<const std::uint8_t> data) {
  return nb::steal(PyByteArray_FromStringAndSize(reinterpret_cast<const char*>(data.data()),
                                                 static_cast<Py_ssize_t>(data.size())));
}

struct OpenModel {
  std::optional<quant::CompactModel> compact;
  std::optional<SafetensorsFile> plain;
};

OpenModel open_model(const Path& path, const Call& call) {
  return run(call, kLongWork, [&](const Context& context) {
    SafetensorsFile file(path, context);
    if (quant::is_compact_file(file)) {
      return OpenModel{quant::read_compact_file(file, quant::CodesIn::memory, context), {}};
    }
    return OpenModel{{}, std::move(file)};
  });
}

// name → (type in the model, shape, type of the bytes, bytes) for the tensors that are not in codes.
nb::dict others_of(const OpenModel& model) {
  nb::dict out;
  const auto add = [&](const TensorView& tensor, DType dtype) {
    out[tensor.name.c_str()] = nb::make_tuple(std::string(enum_name(dtype)), tensor.shape,
                                              std::string(enum_name(tensor.dtype)), bytes_of(tensor.data));
  };
  if (model.plain) {
    for (const TensorView& tensor : model.plain->tensors()) add(tensor, tensor.dtype);
    return out;
  }
  for (std::size_t i = 0; i < model.compact->others.size(); ++i) {
    add(model.compact->others[i], model.compact->recipe.others[i].dtype);
  }
  return out;
}

// name → (type in the model, weight in codes).
nb::dict weights_of(const OpenModel& model) {
  nb::dict out;
  if (!model.compact) return out;
  for (std::size_t i = 0; i < model.compact->weights.size(); ++i) {
    const quant::WeightRecipe& recipe = model.compact->recipe.weights[i];
    out[recipe.name.c_str()] =
        nb::make_tuple(std::string(enum_name(recipe.dtype)), model.compact->weights[i]);
  }
  return out;
}

void write_compact(const Path& path,
                   const std::vector<std::tuple<std::string, std::string, quant::QuantizedTensor>>& weights,
                   const std::vector<Tensor>& others, const Metadata& dtypes, const Metadata& aliases,
                   const Metadata& metadata, bool deflate_header, const Call& call) {
  quant::CompactModel model;
  std::map<const quant::Codebook*, std::size_t> first_with;
  for (const auto& [name, dtype, tensor] : weights) {
    quant::WeightRecipe recipe = quant::smallest_recipe_of(name, tensor);
    recipe.dtype = value_named<DType>(dtype);
    if (tensor.codebook) {
      const auto [first, fresh] = first_with.emplace(tensor.codebook.get(), model.weights.size());
      if (!fresh) {
        recipe.codebook = model.recipe.weights[first->second].name + "_codebook";
        model.recipe.weights[first->second].codebook = recipe.codebook;
      }
    }
    model.recipe.weights.push_back(std::move(recipe));
    model.weights.push_back(tensor);
  }
  model.others = views_of(others);
  for (const TensorView& view : model.others) {
    quant::OtherRecipe other{view, view.dtype};
    if (const auto own = dtypes.find(view.name); own != dtypes.end())
      other.dtype = value_named<DType>(own->second);
    model.recipe.others.push_back(std::move(other));
  }
  model.recipe.aliases.insert(aliases.begin(), aliases.end());
  model.recipe.metadata = metadata_of(metadata);
  model.recipe.deflated = deflate_header;
  run_work(call, kLongWork, [&](const Context&) { quant::write_compact_file(path, model); });
}

}  // namespace

void bind_compact(nb::module_& m) {
  offer_options<quant::CompressOptions>(m, "compress");
  m.def("compress", &compress, nb::arg("model"), nb::arg("metadata"), nb::arg("output").none(),
        nb::arg("call"), nb::arg("keywords"), nb::arg("calibration").none() = nb::none());
  m.def("quantize_model", &quantize_model, nb::arg("model"), nb::arg("call"), nb::arg("keywords"),
        nb::arg("calibration").none() = nb::none());
  nb::class_<OpenModel>(m, "OpenModel")
      .def_prop_ro("weights", &weights_of)
      .def_prop_ro("others", &others_of)
      .def_prop_ro("compact", [](const OpenModel& model) { return model.compact.has_value(); })
      .def_prop_ro("aliases",
                   [](const OpenModel& model) {
                     return model.compact ? metadata_of(model.compact->recipe.aliases) : Metadata{};
                   })
      .def_prop_ro("metadata", [](const OpenModel& model) {
        return metadata_of(model.compact ? model.compact->recipe.metadata : model.plain->metadata());
      });
  m.def("open_model", &open_model, nb::arg("path"), nb::arg("call"));
  m.def(
      "dequantize",
      [](const Path& compact, const Path& output, const Call& call) {
        run_work(call, kLongWork,
                 [&](const Context& context) { quant::dequantize(compact, output, context); });
      },
      nb::arg("compact"), nb::arg("output"), nb::arg("call"));
  m.def("write_compact", &write_compact, nb::arg("path"), nb::arg("weights"), nb::arg("others"),
        nb::arg("dtypes"), nb::arg("aliases"), nb::arg("metadata"), nb::arg("deflate_header"),
        nb::arg("call"));
}

}  // namespace parsimony::python
