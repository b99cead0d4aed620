#include "images/flow/flow_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/files/npy_format.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"

namespace parsimony::images {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::string_view kKind = "unrolled flow";

Matrix<double> read_array(NpzArchive& archive, const std::string& name) {
  const NpyArray array = archive.array(name);
  if (array.shape.empty() || array.shape.size() > 2) {
    archive.fail(fmt::format("array '{}' must have one or two dimensions", name));
  }
  if (array.fortran_order && array.shape.size() == 2) {
    archive.fail(fmt::format("array '{}' lies columns first; must be rows first", name));
  }
  const std::vector<double> items = npy_items<double>(array);
  Matrix<double> out(array.shape[0], array.shape.size() == 2 ? array.shape[1] : 1);
  std::copy(items.begin(), items.end(), out.data());
  return out;
}

}  // namespace

UnrolledFlow zero_like(const UnrolledFlow& flow) {
  UnrolledFlow out = flow;
  for (const std::span<double> values : flow_arrays(out)) std::fill(values.begin(), values.end(), 0.0);
  return out;
}

void append_flow(std::vector<std::pair<std::string, std::string>>& members, const std::string& prefix,
                 const UnrolledFlow& flow) {
  members.push_back(npz_member(prefix + "side", "<i8", {}, &flow.side, sizeof flow.side));
  const auto add = [&](std::string_view name, std::initializer_list<std::int64_t> shape,
                       std::span<const double> values) {
    members.push_back(
        npz_member(prefix + std::string(name), "<f8", shape, values.data(), values.size_bytes()));
  };
  add("mixing", {flow.mixing.rows(), flow.mixing.cols()}, flow.mixing.values());
  add("log_step_scales", {flow.steps()}, flow.log_step_scales);
  add("log_scales", {flow.steps(), flow.filters()}, flow.log_scales.values());
  add("log_weights", {flow.steps(), flow.filters()}, flow.log_weights.values());
  add("tails", {flow.steps(), 2 * flow.filters()}, flow.tails.values());
  add("log_rates", {flow.steps()}, flow.log_rates);
  add("momenta", {flow.steps()}, flow.momenta);
}

UnrolledFlow read_flow(NpzArchive& archive, const std::string& prefix) {
  UnrolledFlow flow;
  flow.side = archive.integer(prefix + "side");
  flow.mixing = read_array(archive, prefix + "mixing");
  flow.log_scales = read_array(archive, prefix + "log_scales");
  flow.log_weights = read_array(archive, prefix + "log_weights");
  flow.tails = read_array(archive, prefix + "tails");
  const auto vector = [&](const char* name) {
    const Matrix<double> values = read_array(archive, prefix + name);
    return std::vector<double>(values.values().begin(), values.values().end());
  };
  flow.log_step_scales = vector("log_step_scales");
  flow.log_rates = vector("log_rates");
  flow.momenta = vector("momenta");
  return flow;
}

UnrolledFlow parse_unrolled_flow(std::string bytes, const std::string& name, std::int64_t max_bytes) {
  NpzArchive archive(std::move(bytes), name, max_bytes,
                     "is it a flow by parsimony operator learn --unrolled?");
  if (npy_text(archive.array("kind")) != kKind) archive.fail(fmt::format("its kind is not '{}'", kKind));
  const std::int64_t version = archive.integer("version");
  if (version != kVersion) {
    archive.fail(fmt::format("a flow of version {}; this library reads version {}", version, kVersion),
                 ErrorCode::unsupported);
  }
  UnrolledFlow flow = read_flow(archive, "");
  check_unrolled_flow(flow, name, ErrorCode::format);
  return flow;
}

UnrolledFlow load_unrolled_flow(const std::filesystem::path& path, std::int64_t max_bytes) {
  return parse_unrolled_flow(read_file(path, max_bytes), path.string(), max_bytes);
}

void save_unrolled_flow(const OutputPath& path, const UnrolledFlow& flow) {
  check_unrolled_flow(flow, "flow");
  std::vector<std::pair<std::string, std::string>> members;
  members.push_back(npz_member("kind", fmt::format("|S{}", kKind.size()), {}, kKind.data(), kKind.size()));
  members.push_back(npz_member("version", "<i8", {}, &kVersion, sizeof kVersion));
  append_flow(members, "", flow);
  write_file(path, make_zip(members));
}

}  // namespace parsimony::images
