#include "parsimony/distributed/labels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/files/npy_format.hpp"
#include "core/together.hpp"
#include "distributed/communicator.hpp"
#include "graph/file/endings.hpp"

namespace parsimony::distributed {
namespace {

constexpr std::int64_t kMostLabels = 1 << 24;  // in one call of MPI

// The name by which all processes open the file that process 0 has begun.
std::string name_in_all(const Communicator& communicator, const std::string& name) {
  const std::vector<char> all = communicator.gather(std::span<const char>(name));
  return {all.begin(), all.end()};
}

// Returns the reason of the first process that could not write its part; empty if all could.
std::string write_part(const Communicator& communicator, const std::string& file_name, std::int64_t at,
                       std::span<const std::int32_t> labels) {
  std::string reason;
  const auto note = [&](int code) {
    if (code == MPI_SUCCESS || !reason.empty()) return;
    std::array<char, MPI_MAX_ERROR_STRING> text{};
    int length = 0;
    MPI_Error_string(code, text.data(), &length);
    reason.assign(text.data(), static_cast<std::size_t>(length));
  };
  MPI_File file = MPI_FILE_NULL;
  note(MPI_File_open(communicator.comm(), file_name.c_str(), MPI_MODE_WRONLY, MPI_INFO_NULL, &file));
  if (communicator.any(!reason.empty())) return first_text(communicator, reason);
  const std::int64_t rounds = communicator.most_of((std::ssize(labels) + kMostLabels - 1) / kMostLabels);
  for (std::int64_t round = 0; round < rounds; ++round) {
    const std::int64_t from = std::min(round * kMostLabels, std::ssize(labels));
    const std::int64_t count = std::min(kMostLabels, std::ssize(labels) - from);
    MPI_Status status;
    int written = 0;
    note(MPI_File_write_at_all(file, at + 4 * from, labels.data() + from, static_cast<int>(count),
                               MPI_INT32_T, &status));
    MPI_Get_count(&status, MPI_INT32_T, &written);
    if (written != count && reason.empty()) reason = "No space left on device";
  }
  note(MPI_File_sync(file));
  note(MPI_File_close(&file));
  return first_text(communicator, reason);
}

}  // namespace

void write_labels(const OutputPath& path, const Graph& graph, std::span<const std::int32_t> labels,
                  const Processes& processes, const graph::WriteLabelsOptions& options) {
  const Communicator& communicator = communicator_of(processes);
  const bool first = communicator.rank() == 0;
  std::optional<AtomicFile> file;
  std::string temporary;
  bool parallel = false;
  const std::array<std::int64_t, 1> shape{graph.nodes};
  const std::string header = npy_header("<i4", shape);
  together(communicator, [&] {
    if (!first) return;
    const std::string ending = path.path().extension().string();
    parallel = graph::written_format(path.path(), options.output_format) == graph::LabelFormat::npy &&
               ending != ".gz" && ending != ".zst";
    if (!parallel) return;
    file.emplace(path);
    file->write(header);
    temporary = file->finish().string();
  });
  temporary = name_in_all(communicator, temporary);
  if (temporary.empty()) {  // also a file that is written in place
    file.reset();
    const std::vector<std::int32_t> all = communicator.collect(labels);
    const graph::NodeIds ids = graph.collect_ids(processes);
    together(communicator, [&] {
      if (first) graph::write_labels(path, ids, all, options);
    });
    return;
  }
  const std::string reason = write_part(communicator, temporary,
                                        static_cast<std::int64_t>(header.size()) + 4 * graph.first(), labels);
  together(communicator, [&] {
    if (!reason.empty()) {
      throw Error(ErrorCode::io, fmt::format("cannot write {}: {}; its folder must be shared by all machines",
                                             first ? path.path().string() : temporary, reason));
    }
    if (first) file->commit();
  });
}

}  // namespace parsimony::distributed
