// How a call of the library runs: threads, memory, progress and messages, and the keywords that errors name.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <string>

#include "parsimony/core/error.hpp"

namespace parsimony::python {

namespace nb = nanobind;

/// Every function of parsimony_ml makes one from its keywords and hands it to the binding.
struct Call {
  int threads = 0;              ///< 0: the library's default
  std::int64_t max_memory = 0;  ///< bytes; 0: the limit of the system
  nb::object progress;          ///< called as progress(stage, done, total), or None
  nb::object log;               ///< called as log(level, text) with the levels of logging, or None
  nb::dict keywords;            ///< options whose keyword has another name: "clusters" → "n_clusters"

  /// The keyword of an option of the library.
  std::string keyword(const std::string& option) const;
  /// A message of the library with keywords for the options that it names: first, or after "option".
  std::string in_keywords(const std::string& message) const;
  /// Throws an error of the same kind with such a message.
  [[noreturn]] void throw_in_keywords(const Error& error) const;
};

}  // namespace parsimony::python
