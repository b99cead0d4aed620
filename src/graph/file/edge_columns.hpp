// The columns of a table that are the nodes and the weight of an edge.
#pragma once

#include <string>
#include <vector>

#include "graph/file/table.hpp"
#include "parsimony/graph/file.hpp"

namespace parsimony::graph {

struct EdgeColumns {
  int source = 0, target = 1;
  int weight = -1;           ///< -1: the edges have no weights
  int count = 0;             ///< columns of every line; 0: at least those named above
  bool header = false;       ///< the user named columns of the first line, which is therefore a header
  bool names = false;        ///< the first line has names of sources and targets
  bool numbered = false;     ///< the first column numbers the rows, as R and pandas write it
  bool sure_weight = false;  ///< the header names the weights
  std::string message;       ///< for the user: a column that is left out
  std::string doubt;         ///< for the user: why the column of the weights may hold other numbers

  bool weighted() const { return weight >= 0; }
};

/// Chooses by options.columns, or by a header with the names of sources and targets, or takes the first two
/// columns, and a third for weights. Throws TextFault for a table that has other columns, and Error for
/// columns that it does not have.
EdgeColumns edge_columns(const Text& text, const TableHead& head, const ReadOptions& options);

/// 1 if the first line has one word less than the others because R has numbered these; else 0.
int unnamed_columns(const TableHead& head);

/// Whether numbers look like times: all of them whole, and either seconds, milli-, micro- or nanoseconds
/// since 1970 in our days, or within 10 % of each other and large, or ascending in the order of the file.
class TimeSigns {
 public:
  void add(double value);
  /// The numbers that follow in the file.
  void append(const TimeSigns& next);
  bool look_like_times() const;
  double low() const { return low_; }
  double high() const { return high_; }

 private:
  std::int64_t count_ = 0, steps_ = 0;
  double low_ = 0, high_ = 0, first_ = 0, last_ = 0;
  bool whole_ = true, ascending_ = true;
};

}  // namespace parsimony::graph
