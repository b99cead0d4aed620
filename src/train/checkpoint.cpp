#include "parsimony/train/checkpoint.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <exception>

#include "core/files/output_gate.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/core/output_file.hpp"
#include "parsimony/train/ipq.hpp"
#include "parsimony/train/noise.hpp"

namespace parsimony::train {
namespace {

constexpr std::int64_t kVersion = 3;

using torch::serialize::InputArchive;
using torch::serialize::OutputArchive;

void write_number(OutputArchive& archive, const std::string& key, std::int64_t value) {
  archive.write(key, torch::tensor(value, torch::kLong), true);
}

std::int64_t read_number(InputArchive& archive, const std::string& key) {
  torch::Tensor value;
  archive.read(key, value, true);
  return value.item<std::int64_t>();
}

// Keys of archives must not have dots, which names of layers have: layers have numbered keys, and a text with
// the name.
void write_text(OutputArchive& archive, const std::string& key, const std::string& text) {
  archive.write(key, torch::tensor(std::vector<std::uint8_t>(text.begin(), text.end()), torch::kByte), true);
}

torch::Tensor read_tensor(InputArchive& archive, const std::string& key, torch::ScalarType type) {
  torch::Tensor values;
  archive.read(key, values, true);
  TORCH_CHECK(values.scalar_type() == type, key, " has another type");
  return values.contiguous();
}

std::string read_text(InputArchive& archive, const std::string& key) {
  const torch::Tensor letters = read_tensor(archive, key, torch::kByte);
  const auto* bytes = letters.data_ptr<std::uint8_t>();
  return {bytes, bytes + letters.numel()};
}

void write_matrix(OutputArchive& archive, const std::string& key, const Matrix<float>& matrix) {
  archive.write(
      key,
      torch::from_blob(const_cast<float*>(matrix.data()), {matrix.rows(), matrix.cols()}, torch::kFloat)
          .clone(),
      true);
}

Matrix<float> read_matrix(InputArchive& archive, const std::string& key) {
  const torch::Tensor values = read_tensor(archive, key, torch::kFloat);
  TORCH_CHECK(values.dim() == 2, key, " is not a matrix");
  Matrix<float> matrix(values.size(0), values.size(1));
  std::copy_n(values.data_ptr<float>(), matrix.size(), matrix.data());
  return matrix;
}

void write_noise(OutputArchive& archive, const Noise& noise) {
  write_number(archive, "step", noise.step());
  write_number(archive, "codebooks", static_cast<std::int64_t>(noise.codebooks().size()));
  int index = 0;
  for (const auto& [name, codebook] : noise.codebooks()) {
    OutputArchive entry;
    write_text(entry, "name", name);
    write_matrix(entry, "values", codebook);
    archive.write(fmt::format("codebook{}", index++), entry);
  }
}

void read_noise(InputArchive& archive, Noise& noise) {
  std::map<std::string, Matrix<float>> codebooks;
  const std::int64_t count = read_number(archive, "codebooks");
  for (std::int64_t i = 0; i < count; ++i) {
    InputArchive entry;
    archive.read(fmt::format("codebook{}", i), entry);
    codebooks[read_text(entry, "name")] = read_matrix(entry, "values");
  }
  noise.set_codebooks(std::move(codebooks));
  noise.set_step(read_number(archive, "step"));
}

// A layer that shares the codebook of the layer before it does not repeat it.
void write_ipq(OutputArchive& archive, const Ipq& ipq) {
  const std::vector<IpqLayer> layers = ipq.layers();
  write_number(archive, "layers", std::ssize(layers));
  const quant::Codebook* before = nullptr;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const auto& [name, same_as, tensor, importance] = layers[i];
    OutputArchive entry;
    write_text(entry, "name", name);
    write_text(entry, "same_as", same_as);
    if (same_as.empty()) {
      entry.write("shape", torch::tensor(tensor.shape, torch::kLong), true);
      entry.write("importance", torch::tensor(importance, torch::kFloat), true);
      write_number(entry, "bits", tensor.bits);
      write_number(entry, "layout", static_cast<std::int64_t>(tensor.layout));
      entry.write(
          "codes",
          torch::tensor(std::vector<std::uint8_t>(tensor.packed.begin(), tensor.packed.end()), torch::kByte),
          true);
      write_number(entry, "scheme", static_cast<std::int64_t>(tensor.scheme));
      if (tensor.scheme == quant::Scheme::integer) {
        entry.write("scale", torch::tensor(tensor.scale, torch::kFloat), true);
        entry.write("zero_point", torch::tensor(tensor.zero_point, torch::kInt), true);
      } else {
        const bool own = tensor.codebook.get() != before;
        before = tensor.codebook.get();
        entry.write("permutation", torch::tensor(tensor.channel_permutation, torch::kInt), true);
        write_matrix(entry, "codebook", own ? tensor.codebook->centroids : Matrix<float>(0, 0));
      }
    }
    archive.write(fmt::format("layer{}", i), entry);
  }
}

std::vector<IpqLayer> read_ipq(InputArchive& archive) {
  std::vector<IpqLayer> layers;
  std::shared_ptr<const quant::Codebook> codebook;
  const std::int64_t count = read_number(archive, "layers");
  for (std::int64_t i = 0; i < count; ++i) {
    InputArchive entry;
    archive.read(fmt::format("layer{}", i), entry);
    IpqLayer layer{.name = read_text(entry, "name"), .same_as = read_text(entry, "same_as")};
    if (layer.same_as.empty()) {
      quant::QuantizedTensor& tensor = layer.tensor;
      const torch::Tensor shape = read_tensor(entry, "shape", torch::kLong);
      tensor.shape.assign(shape.data_ptr<std::int64_t>(), shape.data_ptr<std::int64_t>() + shape.numel());
      tensor.scheme = static_cast<quant::Scheme>(read_number(entry, "scheme"));
      tensor.bits = static_cast<int>(read_number(entry, "bits"));
      tensor.layout = static_cast<quant::BlockLayout>(read_number(entry, "layout"));
      const torch::Tensor importance = read_tensor(entry, "importance", torch::kFloat);
      layer.importance.assign(importance.data_ptr<float>(),
                              importance.data_ptr<float>() + importance.numel());
      const torch::Tensor codes = read_tensor(entry, "codes", torch::kByte);
      tensor.packed = std::vector<std::uint8_t>(codes.data_ptr<std::uint8_t>(),
                                                codes.data_ptr<std::uint8_t>() + codes.numel());
      if (tensor.scheme == quant::Scheme::integer) {
        const torch::Tensor scale = read_tensor(entry, "scale", torch::kFloat);
        const torch::Tensor zero_point = read_tensor(entry, "zero_point", torch::kInt);
        tensor.scale.assign(scale.data_ptr<float>(), scale.data_ptr<float>() + scale.numel());
        const auto* zeros = zero_point.data_ptr<std::int32_t>();
        tensor.zero_point.assign(zeros, zeros + zero_point.numel());
      } else {
        if (Matrix<float> own = read_matrix(entry, "codebook"); own.rows() > 0) {
          codebook = std::make_shared<const quant::Codebook>(quant::Codebook{.centroids = std::move(own)});
        }
        tensor.codebook = codebook;
        const torch::Tensor permutation = read_tensor(entry, "permutation", torch::kInt);
        const auto* channels = permutation.data_ptr<std::int32_t>();
        tensor.channel_permutation.assign(channels, channels + permutation.numel());
      }
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

// Writes the archive piece by piece: it never lies in memory as a whole. No exception may pass through
// LibTorch's writer, which is C, and one that is told of a failure writes again when it is destroyed.
void save(OutputArchive& archive, const std::filesystem::path& path) {
  AtomicFile file(path);
  std::exception_ptr failure;
  archive.save_to([&](const void* bytes, std::size_t count) {
    try {
      if (!failure) file.write({static_cast<const char*>(bytes), count});
    } catch (...) {
      failure = std::current_exception();
    }
    return count;
  });
  if (failure) std::rethrow_exception(failure);
  file.commit();
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const TrainingState& state) {
  OutputArchive archive, model, optimizer, position, texts, histories;
  state.model.save(model);
  state.optimizer.save(optimizer);
  for (const auto& [key, value] : state.position) write_number(position, key, value);
  for (const auto& [key, text] : state.texts) write_text(texts, key, text);
  for (const auto& [key, values] : state.histories) {
    histories.write(key, torch::tensor(values, torch::kDouble), true);
  }
  write_number(archive, "parsimony_checkpoint", kVersion);
  archive.write("model", model);
  archive.write("optimizer", optimizer);
  archive.write("position", position);
  archive.write("texts", texts);
  archive.write("histories", histories);
  archive.write("generator", at::detail::getDefaultCPUGenerator().get_state(), true);
  if (state.noise != nullptr) {
    OutputArchive noise;
    write_noise(noise, *state.noise);
    archive.write("noise", noise);
  }
  if (state.ipq != nullptr) {
    OutputArchive ipq;
    write_ipq(ipq, *state.ipq);
    archive.write("ipq", ipq);
  }
  const SavingState saving;
  save(archive, path);
}

struct Checkpoint::State {
  std::string name;
  InputArchive archive;
  std::map<std::string, std::int64_t> position;
  std::map<std::string, std::string> texts;
  std::map<std::string, std::vector<double>> histories;

  // LibTorch throws for a file that is damaged or something else.
  template <class Body>
  void read(const Body& body) {
    try {
      body();
    } catch (const c10::Error& error) {
      throw Error(ErrorCode::format, fmt::format("{}: is not a checkpoint of this run: {}", name,
                                                 error.what_without_backtrace()));
    }
  }
};

Checkpoint::Checkpoint(const std::filesystem::path& path) : state_(std::make_unique<State>()) {
  const std::string bytes = read_file(path);
  state_->name = path.string();
  state_->read([&] {
    InputArchive& archive = state_->archive;
    archive.load_from(bytes.data(), bytes.size());
    if (const std::int64_t version = read_number(archive, "parsimony_checkpoint"); version != kVersion) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("{}: is a checkpoint of version {}; this program reads version {}",
                              state_->name, version, kVersion));
    }
    InputArchive position, texts, histories;
    archive.read("position", position);
    archive.read("texts", texts);
    archive.read("histories", histories);
    for (const std::string& key : position.keys()) state_->position[key] = read_number(position, key);
    for (const std::string& key : texts.keys()) state_->texts[key] = read_text(texts, key);
    for (const std::string& key : histories.keys()) {
      const torch::Tensor values = read_tensor(histories, key, torch::kDouble);
      state_->histories[key].assign(values.data_ptr<double>(), values.data_ptr<double>() + values.numel());
    }
  });
}
Checkpoint::Checkpoint(Checkpoint&&) noexcept = default;
Checkpoint::~Checkpoint() = default;

const std::map<std::string, std::int64_t>& Checkpoint::position() const {
  return state_->position;
}
const std::map<std::string, std::string>& Checkpoint::texts() const {
  return state_->texts;
}

void Checkpoint::restore(Ipq& ipq) const {
  state_->read([&] {
    InputArchive archive;
    state_->archive.read("ipq", archive);
    try {
      ipq.set_layers(read_ipq(archive));
    } catch (const Error& error) {
      throw Error(ErrorCode::format,
                  fmt::format("{}: is not a checkpoint of this run: {}", state_->name, error.what()));
    }
  });
}

void Checkpoint::restore(TrainingState& state) const {
  state_->read([&] {
    InputArchive& archive = state_->archive;
    InputArchive model, optimizer;
    archive.read("model", model);
    archive.read("optimizer", optimizer);
    state.model.load(model);
    state.optimizer.state().clear();  // load() only adds entries
    state.optimizer.load(optimizer);
    if (state.noise != nullptr) {
      InputArchive noise;
      archive.read("noise", noise);
      read_noise(noise, *state.noise);
    }
    torch::Tensor generator;
    archive.read("generator", generator, true);
    at::Generator to = at::detail::getDefaultCPUGenerator();
    to.set_state(generator);
  });
  state.position = state_->position;
  state.texts = state_->texts;
  state.histories = state_->histories;
}

void load_checkpoint(const std::filesystem::path& path, TrainingState& state) {
  Checkpoint(path).restore(state);
}

}  // namespace parsimony::train
