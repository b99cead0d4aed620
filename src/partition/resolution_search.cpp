#include "parsimony/partition/resolution_search.hpp"

#include <algorithm>
#include <cmath>

#include "parsimony/partition/leiden.hpp"
#include "partition/count_with_volume.hpp"

namespace parsimony::partition {
namespace {

constexpr double kStep = 3;
constexpr int kMostSteps = 24;  // 3^24 > 10^11: nothing but single nodes in any graph of even weights

// The resolution of the likelihood of k equal clusters that hold the share of the weight that these
// communities hold: most often within one step of the answer.
double likely_resolution(const Partition& communities, double total, std::int64_t clusters) {
  const auto k = static_cast<double>(clusters);
  double inside = 0;
  for (const double internal : communities.internal) inside += total > 0 ? internal / total : 0;
  const double in = inside * k, out = (1 - inside) / (1 - 1 / k);
  return out > 0 && in > out ? std::max((in - out) / std::log(in / out), kStep) : kStep;
}

// Where between two resolutions a count lies if counts follow a power of the resolution. Never near an end,
// so that the interval shrinks where they do not.
double share_below(std::int64_t low, std::int64_t high, double wanted) {
  const double span = std::log(static_cast<double>(high) / std::max(1.0, static_cast<double>(low)));
  const double share = std::log(wanted / std::max(1.0, static_cast<double>(low))) / span;
  return span > 0 ? std::clamp(share, 0.2, 0.8) : 0.5;
}

}  // namespace

ResolutionSearch resolution_search(const NetworkView& network, const ResolutionSearchOptions& options,
                                   const Context& context) {
  validate_fields(options);
  LeidenResult at_one = leiden(network, {.iterations = 1, .seed = options.seed}, context);
  return resolution_search(network, std::move(at_one.partition), options, context);
}

ResolutionSearch resolution_search(const NetworkView& network, Partition at_one,
                                   const ResolutionSearchOptions& options, const Context& context) {
  validate_fields(options);
  ResolutionSearch out;
  const std::int64_t k = options.clusters;
  const auto most = static_cast<double>(k) * options.most;
  const auto with_volume =
      std::count_if(network.degree.begin(), network.degree.end(), [](double d) { return d > 0; });
  const int total = kMostSteps + 1 + options.probes;
  const auto note = [&](double resolution, Partition found) {
    const std::int64_t count = count_with_volume(found);
    out.probes.emplace_back(resolution, count);
    // Not every count is met: of those of at least k the nearest is kept, before there are any the last.
    if (count >= k ? !out.enough || count < out.communities : !out.enough) {
      out.enough = count >= k;
      out.resolution = resolution;
      out.communities = count;
      out.partition = std::move(found);
    }
    return count;
  };
  const auto probe = [&](double resolution) {
    const Context part = context.part("resolution", std::ssize(out.probes), total);
    return note(
        resolution,
        leiden(network, {.resolution = resolution, .iterations = 1, .seed = options.seed}, part).partition);
  };

  const double guess = likely_resolution(at_one, network.total, k);
  double low = 1, high = 1;
  std::int64_t count = note(1, std::move(at_one)), count_low = count, count_high = count;
  for (int step = 0; count < k && k <= with_volume && step < kMostSteps; ++step) {
    low = high;
    count_low = count_high;
    high = step == 0 ? guess : high * kStep;
    count = count_high = probe(high);
  }
  for (int step = 0; step < options.probes && high > 1 && count >= k; ++step) {
    if (static_cast<double>(out.communities) <= most) break;
    const double middle = low * std::pow(high / low, share_below(count_low, count_high, std::sqrt(k * most)));
    const std::int64_t found = probe(middle);
    (found < k ? low : high) = middle;
    (found < k ? count_low : count_high) = found;
  }
  context.progress("resolution", total, total);
  return out;
}

}  // namespace parsimony::partition
