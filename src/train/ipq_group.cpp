#include "train/ipq_group.hpp"

#include <algorithm>
#include <cmath>

#include "parsimony/quant/channel_permutation.hpp"
#include "parsimony/quant/integer_quantizer.hpp"
#include "parsimony/quant/training_codes.hpp"
#include "train/decode_blocks.hpp"
#include "train/straight_through.hpp"

namespace parsimony::train {
namespace {

torch::Tensor read_weight(const IpqMember& member) {
  return member.weight.detach().to(torch::kCPU, torch::kFloat).contiguous();
}

quant::WeightView view_of(const IpqMember& member, const torch::Tensor& values) {
  return {.values = {values.data_ptr<float>(), static_cast<std::size_t>(values.numel())},
          .shape = member.shape,
          .importance = member.importance,
          .channel_permutation = member.tensor.channel_permutation};
}

std::vector<std::uint16_t> codes_of(const IpqMember& member) {
  return quant::unpack_codes(member.tensor.packed, member.tensor.bits, member.grid.count());
}

torch::Tensor index_of(const IpqMember& member) {
  const std::vector<std::int64_t> index = quant::codebook_index(member.tensor);
  return torch::tensor(c10::ArrayRef<std::int64_t>(index), torch::kLong);
}

// Empty if every order of the channels gives the same blocks: whole kernels, or blocks of one value.
std::vector<std::int32_t> permutation_of(const IpqMember& member, const quant::WeightView& view,
                                         const IpqOptions& options, const Context& context) {
  const quant::BlockGrid& grid = member.grid;
  const bool of_channels = grid.layout == quant::BlockLayout::input_channels || grid.positions == 1;
  if (!options.permute_channels || !of_channels || grid.block_size < 2) return {};
  auto found =
      quant::search_channel_permutation(view, {.block_size = grid.block_size, .seed = options.seed}, context)
          .permutation;
  if (std::is_sorted(found.begin(), found.end())) found.clear();
  return found;
}

quant::ProductOptions product_options(const IpqOptions& options, const quant::BlockGrid& grid) {
  return {.block_size = grid.block_size,
          .centroids = options.centroids,
          .layout = grid.layout,
          .codebook = quant::CodebookType::float32,
          .max_iterations = options.max_iterations,
          .seed = options.seed};
}

}  // namespace

void IpqGroup::learn(const Context& context) {
  if (integers()) return fit_ranges(context);
  std::vector<torch::Tensor> values;
  std::vector<quant::WeightView> views;
  for (IpqMember& member : members) {
    values.push_back(read_weight(member));
    member.tensor.channel_permutation =
        permutation_of(member, view_of(member, values.back()), options, context);
    views.push_back(view_of(member, values.back()));
  }
  auto made = quant::product_quantize(views, product_options(options, members.front().grid), context);
  const auto book = made.tensors.front().codebook;
  for (std::size_t i = 0; i < views.size(); ++i) members[i].tensor = std::move(made.tensors[i]);
  restore(book->centroids);
}

void IpqGroup::restore(const Matrix<float>& found) {
  centroids = torch::from_blob(const_cast<float*>(found.data()), {found.rows(), found.cols()}, torch::kFloat)
                  .to(members.front().weight.scalar_type(), false, true)
                  .requires_grad_();
  take_codes();
}

void IpqGroup::fit_ranges(const Context& context) {
  for (IpqMember& member : members) {
    const torch::Tensor values = read_weight(member);
    const quant::IntegerOptions how{.bits = options.bits, .range = options.range};
    member.tensor =
        quant::with_half_scales(quant::integer_quantize(view_of(member, values), how, {}, context));
  }
}

void IpqGroup::take_codes() {
  const std::int64_t values = centroids.numel();
  torch::Tensor all = torch::zeros({values}, torch::kLong);
  for (IpqMember& member : members) {
    member.index = index_of(member);
    all += torch::bincount(member.index, {}, values);
  }
  counts = all.clamp_min(1).to(centroids.scalar_type());
}

std::pair<std::int64_t, std::int64_t> IpqGroup::reassign(const Context& context) {
  std::int64_t changed = 0, all = 0;
  const auto book = codebook(quant::CodebookType::float32);
  for (IpqMember& member : members) {
    const torch::Tensor values = read_weight(member);
    const quant::WeightView view = view_of(member, values);
    const std::vector<std::uint16_t> before = codes_of(member);
    member.tensor = std::move(
        quant::assign_codes({&view, 1}, book, product_options(options, member.grid), context).front());
    const std::vector<std::uint16_t> after = codes_of(member);
    for (std::size_t i = 0; i < after.size(); ++i) changed += before[i] != after[i] ? 1 : 0;
    all += std::ssize(after);
  }
  take_codes();
  return {changed, all};
}

torch::Tensor IpqGroup::decoded(const IpqMember& member) const {
  if (integers()) {
    torch::Tensor value = read_weight(member).clone();
    auto* out = value.data_ptr<float>();
    const auto n = static_cast<std::size_t>(value.numel() / member.shape[0]);
    for (std::size_t o = 0; o < member.tensor.scale.size(); ++o) {
      const std::span<float> own(out + o * n, n);
      quant::fake_quantize(own, {member.tensor.scale[o], member.tensor.zero_point[o]}, options.bits, own);
    }
    value = value.to(member.weight.scalar_type());
    return StraightThrough::apply(member.weight, &value);
  }
  torch::Tensor weight = DecodeBlocks::apply(centroids, member.index, counts, member.shape);
  if (options.latent_weights) weight = weight + (member.weight - member.weight.detach());
  return weight;
}

std::shared_ptr<const quant::Codebook> IpqGroup::codebook(quant::CodebookType type) const {
  const torch::Tensor values = centroids.detach().to(torch::kFloat).contiguous();
  Matrix<float> out(values.size(0), values.size(1));
  std::copy_n(values.data_ptr<float>(), out.size(), out.data());
  return std::make_shared<const quant::Codebook>(quant::round_codebook(std::move(out), type));
}

quant::QuantizedTensor IpqGroup::stored(const IpqMember& member) const {
  if (!integers()) return member.tensor;
  const torch::Tensor values = read_weight(member);
  return quant::with_values(member.tensor, view_of(member, values).values);
}

}  // namespace parsimony::train
