#include "parsimony/train/checkpoint.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <sstream>

#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/train/noise.hpp"

namespace parsimony::train {
namespace {

constexpr std::int64_t kVersion = 1;

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

// Names of layers have dots, which archives do not bear in keys: they go by number, with the name beside.
void write_noise(OutputArchive& archive, const Noise& noise) {
  write_number(archive, "step", noise.step());
  write_number(archive, "codebooks", static_cast<std::int64_t>(noise.codebooks().size()));
  int index = 0;
  for (const auto& [name, codebook] : noise.codebooks()) {
    OutputArchive entry;
    entry.write("name", torch::tensor(std::vector<std::int64_t>(name.begin(), name.end()), torch::kLong),
                true);
    entry.write("values",
                torch::from_blob(const_cast<float*>(codebook.data()), {codebook.rows(), codebook.cols()},
                                 torch::kFloat)
                    .clone(),
                true);
    archive.write(fmt::format("codebook{}", index++), entry);
  }
}

void read_noise(InputArchive& archive, Noise& noise) {
  std::map<std::string, Matrix<float>> codebooks;
  const std::int64_t count = read_number(archive, "codebooks");
  for (std::int64_t i = 0; i < count; ++i) {
    InputArchive entry;
    archive.read(fmt::format("codebook{}", i), entry);
    torch::Tensor name, values;
    entry.read("name", name, true);
    entry.read("values", values, true);
    const auto* letters = name.data_ptr<std::int64_t>();
    Matrix<float> codebook(values.size(0), values.size(1));
    std::copy_n(values.contiguous().data_ptr<float>(), codebook.size(), codebook.data());
    codebooks[std::string(letters, letters + name.numel())] = std::move(codebook);
  }
  noise.set_codebooks(std::move(codebooks));
  noise.set_step(read_number(archive, "step"));
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const TrainingState& state) {
  OutputArchive archive, model, optimizer, position;
  state.model.save(model);
  state.optimizer.save(optimizer);
  for (const auto& [key, value] : state.position) write_number(position, key, value);
  write_number(archive, "parsimony_checkpoint", kVersion);
  archive.write("model", model);
  archive.write("optimizer", optimizer);
  archive.write("position", position);
  archive.write("generator", at::detail::getDefaultCPUGenerator().get_state(), true);
  if (state.noise != nullptr) {
    OutputArchive noise;
    write_noise(noise, *state.noise);
    archive.write("noise", noise);
  }
  std::ostringstream bytes;
  archive.save_to(bytes);
  write_file(path, std::move(bytes).str());
}

void load_checkpoint(const std::filesystem::path& path, TrainingState& state) {
  std::istringstream bytes(read_file(path));
  try {
    InputArchive archive, model, optimizer, position;
    archive.load_from(bytes);
    if (const std::int64_t version = read_number(archive, "parsimony_checkpoint"); version != kVersion) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("{}: a checkpoint of version {}; this program reads version {}", path.string(),
                              version, kVersion));
    }
    archive.read("model", model);
    archive.read("optimizer", optimizer);
    archive.read("position", position);
    state.model.load(model);
    state.optimizer.state().clear();  // load only adds to it
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
    state.position.clear();
    for (const std::string& key : position.keys()) state.position[key] = read_number(position, key);
  } catch (const c10::Error& error) {
    throw Error(ErrorCode::format, fmt::format("{}: no checkpoint of this run: {}", path.string(),
                                               error.what_without_backtrace()));
  }
}

}  // namespace parsimony::train
