// The report of a run as one page of HTML, for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace parsimony {

struct ReportPicture {
  std::string caption;
  std::string png;  ///< the bytes of a PNG file
};

/// The parts of the page that are not in the report.
struct ReportPage {
  std::string title;                    ///< the verb or the function
  std::string command;                  ///< repeats the run; empty: not shown
  std::vector<std::string> warnings;    ///< one line each
  std::vector<ReportPicture> pictures;  ///< shown in this order
  double bandwidth = 0;                 ///< bytes a second that a copy reaches (copy_bandwidth); 0: not shown
};

/// The page of a report, given as the text of Report::to_json() or of an object that adds to it: the command,
/// warnings, pictures, figures, the stages with their share of the time and of the memory's bandwidth, and
/// all that the object has besides. Lists of numbers become charts, lists of objects tables of at most 500
/// rows. The page loads nothing: style, charts and pictures are inside.
///
/// O(bytes of the text and of the pictures). Throws invalid_argument if the text is not a JSON object.
std::string report_page(std::string_view json, const ReportPage& page);

}  // namespace parsimony
