// Implements bandwidth.hpp.
#include "parsimony/core/bandwidth.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>

namespace parsimony {

double copy_bandwidth(const Context& context) {
  constexpr std::int64_t kBytes = std::int64_t{64} << 20, kBlock = std::int64_t{1} << 18;
  constexpr int kCopies = 3;
  if (const std::int64_t left = context.memory_left(); left > 0 && left < 3 * kBytes) return 0;
  // Uninitialised: the threads that copy a block touch it first.
  const std::unique_ptr<char[]> from(new char[kBytes]), to(new char[kBytes]);
  context.for_blocks(kBytes, kBlock, [&](std::int64_t begin, std::int64_t end) {
    std::memset(from.get() + begin, 1, static_cast<std::size_t>(end - begin));
    std::memset(to.get() + begin, 2, static_cast<std::size_t>(end - begin));
  });
  double fastest = 0;
  for (int copy = 0; copy < kCopies; ++copy) {
    const auto start = std::chrono::steady_clock::now();
    context.for_blocks(kBytes, kBlock, [&](std::int64_t begin, std::int64_t end) {
      std::memcpy(to.get() + begin, from.get() + begin, static_cast<std::size_t>(end - begin));
    });
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    if (taken.count() > 0) fastest = std::max(fastest, 2.0 * kBytes / taken.count());
  }
  return fastest;
}

}  // namespace parsimony
