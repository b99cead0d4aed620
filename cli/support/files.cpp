#include "support/files.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <system_error>

#include "parsimony/core/file_error.hpp"
#include "parsimony/core/output_file.hpp"
#include "support/escaped.hpp"
#include "support/startup.hpp"

namespace fs = std::filesystem;

namespace parsimony::cli {

fs::path input_path(const std::string& text) {
  return text == "-" ? "/dev/stdin" : text;
}

fs::path output_path(const std::string& text) {
  return text == "-" ? kStandardOutput : fs::path(text);
}

void check_readable(const fs::path& path) {
  if (path == "/dev/stdin" && is_input_closed()) {
    throw Error(ErrorCode::io, "cannot read: the standard input is closed");
  }
  std::error_code error;
  if (fs::is_directory(path, error)) {
    throw FileError(EISDIR, fmt::format("{}: is a directory, not a file", path.string()));
  }
  if (access(path.c_str(), R_OK) != 0) {
    const int number = errno;
    throw FileError(number, fmt::format("{}: cannot be read: {}", path.string(), std::strerror(number)));
  }
}

void check_writable(std::string_view flag, const fs::path& path, const std::vector<fs::path>& others) {
  const auto refuse = [&](ErrorCode code, const std::string& message) {
    throw Error(code, fmt::format("{}: {}", flag, message));
  };
  std::error_code error;
  if (path.empty()) refuse(ErrorCode::invalid_argument, "'' names no file; this output must have a name");
  if (fs::is_directory(path, error)) {
    refuse(ErrorCode::invalid_argument, fmt::format("'{}' is a directory; must name a file", path.string()));
  }
  if (path == "-") refuse(ErrorCode::invalid_argument, "'-' names no file; this output must have a name");
  const auto place = [&](const fs::path& file) {
    fs::path found = fs::weakly_canonical(fs::absolute(file, error), error);
    if (error == std::errc::not_enough_memory) throw std::bad_alloc();
    return found;
  };
  for (const fs::path& other : others) {
    if (!other.empty() && (fs::equivalent(path, other, error) || place(path) == place(other))) {
      refuse(ErrorCode::invalid_argument, fmt::format("would overwrite {}", other.string()));
    }
  }
  try {
    check_output_path(path);
  } catch (const Error& fault) {
    refuse(fault.code(), fault.what());
  }
}

fs::path checked_output(std::string_view flag, const std::string& text, bool json,
                        const std::vector<fs::path>& others) {
  fs::path path = output_path(text);
  if (json && path == kStandardOutput) {
    refuse(fmt::format("{}: --json prints the report on the standard output; name a file here", flag));
  }
  check_writable(flag, path, others);
  return path;
}

void print(std::string_view text) {
  const std::string shown = escaped(text, "\n\t");
  if (std::fwrite(shown.data(), 1, shown.size(), stdout) != shown.size() || std::fflush(stdout) != 0) {
    const int number = errno;
    if (number == EBADF) throw FileError(number, "cannot write: the standard output is closed");
    throw FileError(number, fmt::format("cannot write the standard output: {}", std::strerror(number)));
  }
}

}  // namespace parsimony::cli
