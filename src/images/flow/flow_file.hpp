// The arrays of an unrolled flow, as one list of parameters and in archives.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/files/npz.hpp"
#include "parsimony/images/unrolled_flow.hpp"

namespace parsimony::images {

inline constexpr std::array<std::string_view, 7> kFlowArrays{
    "mixing", "log_step_scales", "log_scales", "log_weights", "tails", "log_rates", "momenta"};

/// The values of the arrays, in the order of kFlowArrays.
template <class Flow>
auto flow_arrays(Flow& flow) {
  return std::array{std::span(flow.mixing.data(), flow.mixing.size()),
                    std::span(flow.log_step_scales.data(), flow.log_step_scales.size()),
                    std::span(flow.log_scales.data(), flow.log_scales.size()),
                    std::span(flow.log_weights.data(), flow.log_weights.size()),
                    std::span(flow.tails.data(), flow.tails.size()),
                    std::span(flow.log_rates.data(), flow.log_rates.size()),
                    std::span(flow.momenta.data(), flow.momenta.size())};
}

/// A flow of the same shape whose values are all 0.
UnrolledFlow zero_like(const UnrolledFlow& flow);

/// Members prefix + array name of an archive to write.
void append_flow(std::vector<std::pair<std::string, std::string>>& members, const std::string& prefix,
                 const UnrolledFlow& flow);

/// Reads the arrays that append_flow wrote; checks their dimensions only.
UnrolledFlow read_flow(NpzArchive& archive, const std::string& prefix);

/// The index of the flow that shipped_flow returns for this sigma.
std::size_t nearest_shipped_flow(double sigma);

/// Parses the bytes of a file, as load_unrolled_flow does; name is for messages.
UnrolledFlow parse_unrolled_flow(std::string bytes, const std::string& name, std::int64_t max_bytes);

}  // namespace parsimony::images
