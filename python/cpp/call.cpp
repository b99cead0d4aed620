#include "call.hpp"

#include <algorithm>
#include <string_view>

#include "bindings.hpp"
#include "parsimony/core/file_error.hpp"

namespace parsimony::python {

std::string Call::keyword(const std::string& option) const {
  const nb::str name(option.c_str());
  return keywords.contains(name) ? std::string(nb::borrow<nb::str>(keywords[name]).c_str()) : option;
}

std::string Call::in_keywords(const std::string& message) const {
  std::string text = message;
  const auto replace = [&](std::size_t name, std::string_view after) {
    const std::size_t end =
        std::min(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", name), text.size());
    if (text.compare(end, after.size(), after) != 0) return;
    text.replace(name, end - name, keyword(text.substr(name, end - name)));
  };
  replace(0, ":");
  constexpr std::string_view kOption = "option ";
  for (std::size_t at = 0; (at = text.find(kOption, at)) != text.npos; at += kOption.size()) {
    replace(at + kOption.size(), "");
  }
  return text;
}

void Call::throw_in_keywords(const Error& error) const {
  const std::string message = in_keywords(error.what());
  if (const auto* of_file = dynamic_cast<const FileError*>(&error)) {
    throw FileError(of_file->number(), message);
  }
  throw Error(error.code(), message);
}

void bind_call(nb::module_& m) {
  nb::class_<Call>(m, "Call", "How a call runs: see parsimony_ml._call.")
      .def(
          "__init__",
          [](Call* self, int threads, std::int64_t max_memory, nb::object progress, nb::object log,
             nb::dict keywords) {
            new (self) Call{threads, max_memory, std::move(progress), std::move(log), std::move(keywords)};
          },
          nb::arg("threads") = 0, nb::arg("max_memory") = 0, nb::arg("progress").none() = nb::none(),
          nb::arg("log").none() = nb::none(), nb::arg("keywords") = nb::dict());
}

}  // namespace parsimony::python
