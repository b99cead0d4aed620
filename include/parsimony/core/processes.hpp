// Several processes that compute one result together, each on its own range of the rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

namespace parsimony {

/// The processes of a run. Every function is collective: all processes call it in the same order. This class
/// itself is the usual case of one process; many machines derive from it.
class Processes {
 public:
  Processes() = default;
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;
  virtual ~Processes() = default;

  virtual int rank() const { return 0; }   ///< number of this process, from 0
  virtual int count() const { return 1; }  ///< number of processes

  /// The bytes of all processes, in the order of their ranks.
  virtual std::vector<std::byte> gather_bytes(std::span<const std::byte> own) const {
    return {own.begin(), own.end()};
  }
  /// The same in process 0; the others get none.
  virtual std::vector<std::byte> collect_bytes(std::span<const std::byte> own) const {
    return gather_bytes(own);
  }
  /// Replace each value by its sum over the processes. Sums of float64 may be rounded in another way for
  /// another number of processes.
  virtual void sum(std::span<std::int64_t>) const {}
  virtual void sum(std::span<double>) const {}
  /// Replaces the bytes by those of process 0; all processes pass equally many.
  virtual void broadcast_bytes(std::span<std::byte>) const {}

  /// The values of all processes, in the order of their ranks. O(all values) memory in each process.
  template <class T>
  std::vector<T> gather(std::span<const T> own) const {
    return from_bytes<T>(gather_bytes(std::as_bytes(own)));
  }
  /// The values of all processes in process 0, in the order of their ranks; empty in the others.
  template <class T>
  std::vector<T> collect(std::span<const T> own) const {
    return from_bytes<T>(collect_bytes(std::as_bytes(own)));
  }
  template <class T>
  void broadcast(std::span<T> values) const {
    static_assert(std::is_trivially_copyable_v<T>);
    broadcast_bytes(std::as_writable_bytes(values));
  }

 private:
  template <class T>
  static std::vector<T> from_bytes(const std::vector<std::byte>& bytes) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::vector<T> out(bytes.size() / sizeof(T));
    if (!out.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
    return out;
  }
};

/// The processes of a run that has one.
const Processes& one_process();

}  // namespace parsimony
