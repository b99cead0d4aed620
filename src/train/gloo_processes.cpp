// LibTorch declares its class for Gloo under this name alone.
#define USE_C10D_GLOO

#include "train/gloo_processes.hpp"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>

#include "parsimony/core/error.hpp"

namespace parsimony::train {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMeetingTime = std::chrono::seconds(60);
constexpr milliseconds kLongestSilence = std::chrono::seconds(60);  // by a process that others wait for
constexpr milliseconds kWatchingPeriod{200};
constexpr milliseconds kCourtesy{500};  // a process after 0 lets 0 speak first
constexpr const char* kFailure = "failure";
constexpr const char* kSpeaker = "speaker";

c10::intrusive_ptr<c10d::Store> open_store(const Rendezvous& where, bool listens) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(where.port);
  options.isServer = listens;
  options.waitWorkers = false;
  options.timeout = kMeetingTime;
  return c10::make_intrusive<c10d::PrefixStore>(fmt::format("parsimony/{}", where.attempt),
                                                c10::make_intrusive<c10d::TCPStore>(where.address, options));
}

class GlooProcesses final : public TrainingProcesses {
 public:
  GlooProcesses(const Rendezvous& where, OthersFailed others_failed)
      : where_(where), others_failed_(std::move(others_failed)) {
    try {
      store_ = open_store(where, where.rank == 0 && !where.has_store);
      watched_ = open_store(where, false);
      meet_in_store();
      auto options = c10d::ProcessGroupGloo::Options::create(where.patience);
      const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
      options->devices.push_back(interface == nullptr
                                     ? c10d::ProcessGroupGloo::createDefaultDevice()
                                     : c10d::ProcessGroupGloo::createDeviceForInterface(interface));
      group_ = c10::make_intrusive<c10d::ProcessGroupGloo>(store_, where.rank, where.count, options);
    } catch (const std::exception& error) {
      // The store of a torchrun of another version refuses the connection.
      throw Error(
          ErrorCode::io,
          fmt::format("process {} of {} does not meet the others at {}:{} (MASTER_ADDR, MASTER_PORT){}: {}",
                      where.rank, where.count, where.address, where.port,
                      where.has_store ? "; where torchrun is of another version than this LibTorch, set "
                                        "TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1"
                                      : "",
                      first_line(error)));
    }
    watcher_ = std::thread([this] { watch(); });
  }
  GlooProcesses(const GlooProcesses&) = delete;
  GlooProcesses& operator=(const GlooProcesses&) = delete;
  ~GlooProcesses() override { stop_watching(); }

  int rank() const override { return where_.rank; }
  int count() const override { return where_.count; }

  std::vector<std::byte> gather_bytes(std::span<const std::byte> own) const override {
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(count()));
    sizes[static_cast<std::size_t>(rank())] = std::ssize(own);
    sum(sizes);
    const std::int64_t most = *std::max_element(sizes.begin(), sizes.end());
    torch::Tensor padded = torch::zeros({most}, torch::kByte);
    std::copy(own.begin(), own.end(), static_cast<std::byte*>(padded.data_ptr()));
    std::vector<std::vector<torch::Tensor>> all(1);
    for (int i = 0; i < count(); ++i) all[0].push_back(torch::empty_like(padded));
    std::vector<torch::Tensor> mine{padded};
    if (most > 0) together([&] { return group_->allgather(all, mine); });
    std::vector<std::byte> out;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const auto* bytes = static_cast<const std::byte*>(all[0][i].data_ptr());
      out.insert(out.end(), bytes, bytes + sizes[i]);
    }
    return out;
  }
  void broadcast_bytes(std::span<std::byte> bytes) const override {
    std::vector<torch::Tensor> tensors{torch::from_blob(bytes.data(), {std::ssize(bytes)}, torch::kByte)};
    together([&] { return group_->broadcast(tensors); });
  }
  void sum(std::span<std::int64_t> values) const override {
    reduce(values, torch::kLong, c10d::ReduceOp::SUM);
  }
  void sum(std::span<double> values) const override { reduce(values, torch::kDouble, c10d::ReduceOp::SUM); }
  void sum(std::span<float> values) const override { reduce(values, torch::kFloat, c10d::ReduceOp::SUM); }
  void maximum(std::span<float> values) const override { reduce(values, torch::kFloat, c10d::ReduceOp::MAX); }

  void finish() override {
    wait_for_the_last();
    std::int64_t here = 1;
    sum(std::span<std::int64_t>(&here, 1));
    stop_watching();
  }

  bool claim_failure(int exit_code) override {
    stop_watching();
    // Failures of the others end the connections to them, and have the first word.
    if (lost_) std::this_thread::sleep_for(2 * kCourtesy);
    if (rank() != 0) std::this_thread::sleep_for(kCourtesy);
    try {
      const bool first = store_->add(kSpeaker, 1) == 1;
      const std::string text = std::to_string(exit_code);
      if (first) store_->set(kFailure, std::vector<std::uint8_t>(text.begin(), text.end()));
      wait_for_the_others();
      return first;
    } catch (const std::exception&) {
      return rank() == 1;  // the store has ended with process 0
    }
  }

 private:
  static std::string beat_of(int rank) { return fmt::format("beat/{}", rank); }
  static std::string end_of(int rank) { return fmt::format("end/{}", rank); }

  // Process 0 may evaluate longer than any exchange may take. It is alive as long as its count of beats
  // grows.
  void wait_for_the_last() const {
    using Clock = std::chrono::steady_clock;
    try {
      store_->set(end_of(rank()), std::vector<std::uint8_t>{1});
      for (int other = 0; other < count(); ++other) {
        auto heard = Clock::now();
        for (std::int64_t last = -1; !store_->check({end_of(other)});) {
          const std::int64_t beats = store_->add(beat_of(other), 0);
          if (std::exchange(last, beats) != beats) heard = Clock::now();
          if (Clock::now() - heard > std::min<Clock::duration>(kLongestSilence, where_.patience)) {
            throw Error(ErrorCode::io,
                        fmt::format("lost process {}, which has ended or cannot be reached", other));
          }
          std::this_thread::sleep_for(kWatchingPeriod);
        }
      }
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      throw_lost(error);
    }
  }

  // Gloo has one limit for meeting and for waiting.
  void meet_in_store() const {
    std::vector<std::string> all;
    for (int rank = 0; rank < count(); ++rank) all.push_back(fmt::format("here/{}", rank));
    store_->set(all[static_cast<std::size_t>(rank())], std::vector<std::uint8_t>{1});
    store_->wait(all, kMeetingTime);
  }

  static std::string first_line(const std::exception& error) {
    const std::string text = error.what();
    return text.substr(0, text.find('\n'));
  }

  template <class Start>
  void together(const Start& start) const {
    try {
      start()->wait(where_.patience);
    } catch (const std::exception& error) {
      throw_lost(error);
    }
  }
  [[noreturn]] void throw_lost(const std::exception& error) const {
    lost_ = true;
    throw Error(ErrorCode::io,
                fmt::format("lost the connection to another process, which has ended or cannot "
                            "be reached ({})",
                            first_line(error)));
  }

  template <class T>
  void reduce(std::span<T> values, torch::Dtype type, c10d::ReduceOp::RedOpType how) const {
    if (values.empty()) return;
    std::vector<torch::Tensor> tensors{torch::from_blob(values.data(), {std::ssize(values)}, type)};
    c10d::AllreduceOptions options;
    options.reduceOp = how;
    options.timeout = where_.patience;
    together([&] { return group_->allreduce(tensors, options); });
  }

  // The store of process 0 lives until they have seen the failure.
  void wait_for_the_others() const {
    if (rank() == 0 && !where_.has_store) std::this_thread::sleep_for(5 * kWatchingPeriod);
  }

  void watch() {
    while (!stopped_) {
      std::this_thread::sleep_for(kWatchingPeriod);
      if (stopped_) return;
      int exit_code = 1;
      std::string message;
      try {
        watched_->add(beat_of(rank()), 1);
        if (!watched_->check({kFailure})) continue;
        const std::vector<std::uint8_t> text = watched_->get(kFailure);
        exit_code = std::atoi(std::string(text.begin(), text.end()).c_str());
        wait_for_the_others();
      } catch (const std::exception&) {
        if (stopped_) return;
        // Process 0 has ended without a word. The others notice it at the next step, too.
        std::this_thread::sleep_for(4 * kCourtesy);
        if (stopped_) return;
        if (rank() == 1) message = "lost the connection to process 0, which has ended or cannot be reached";
      }
      others_failed_(exit_code, message);
      return;
    }
  }
  void stop_watching() {
    stopped_ = true;
    if (watcher_.joinable()) watcher_.join();
  }

  Rendezvous where_;
  OthersFailed others_failed_;
  c10::intrusive_ptr<c10d::Store> store_, watched_;  // the second is for the thread that watches
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
  mutable std::atomic<bool> lost_{false};
  std::atomic<bool> stopped_{false};
  std::thread watcher_;
};

}  // namespace

std::unique_ptr<TrainingProcesses> meet_by_gloo(const Rendezvous& where, OthersFailed others_failed) {
  return std::make_unique<GlooProcesses>(where, std::move(others_failed));
}

}  // namespace parsimony::train
