// Implements write_labels() of parsimony/graph/labels.hpp.
#include <fmt/format.h>

#include "core/count_of.hpp"
#include "graph/file/endings.hpp"
#include "graph/file/printer.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/npy.hpp"
#include "parsimony/graph/labels.hpp"

namespace parsimony::graph {

void check_labels_output(const std::filesystem::path& path, const WriteLabelsOptions& options) {
  validate_fields(options);
  written_format(path, options.output_format);
}

void write_labels(const OutputPath& path, const NodeIds& ids, std::span<const std::int32_t> clusters,
                  const WriteLabelsOptions& options) {
  check_labels_output(path.path(), options);
  if (ids.size() != static_cast<std::int64_t>(clusters.size())) {
    refuse(fmt::format("{}: {} for {}", path.path().string(), count_of(ids.size(), "node id"),
                       count_of(clusters.size(), "label")));
  }
  const LabelFormat format = written_format(path.path(), options.output_format);
  if (format == LabelFormat::npy) return write_npy(path, clusters);
  AtomicFile out(path);
  Printer print(out);
  for (std::int64_t i = 0; i < ids.size(); ++i) {
    if (format == LabelFormat::csv) {
      (print.csv_field(ids.name(i)) << ',').number(clusters[i]);
    } else {
      (print.tsv_field(ids.name(i)) << '\t').number(clusters[i]);
    }
    print.end_line();
  }
  print.flush();
  out.commit();
}

}  // namespace parsimony::graph
