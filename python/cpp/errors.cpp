// bindings.hpp: errors of the library as exceptions of parsimony_ml.
#include <nanobind/nanobind.h>

#include <array>
#include <exception>
#include <string>

#include "bindings.hpp"
#include "parsimony/core/file_error.hpp"

namespace parsimony::python {
namespace {

namespace nb = nanobind;

constexpr auto names_of_codes() {
  return std::to_array<const char*>(
      {"invalid_argument", "io", "format", "unsupported", "memory_limit", "cancelled", "internal"});
}
static_assert(names_of_codes().size() == static_cast<std::size_t>(ErrorCode::internal) + 1);

// Never destroyed: when static objects are, the interpreter is gone.
nb::dict& types() {
  static nb::dict& dict = *new nb::dict();
  return dict;
}

nb::object type_of(const Error& error) {
  const nb::str name(names_of_codes().at(static_cast<std::size_t>(error.code())));
  return types().contains(name) ? nb::object(types()[name]) : nb::borrow(PyExc_RuntimeError);
}

void translate(const std::exception_ptr& thrown, void*) {
  try {
    std::rethrow_exception(thrown);
  } catch (const FileError& error) {
    const nb::object made = type_of(error)(error.what(), error.number());
    PyErr_SetObject(made.type().ptr(), made.ptr());
  } catch (const Error& error) {
    PyErr_SetString(type_of(error).ptr(), error.what());
  }
}

}  // namespace

void bind_errors(nb::module_& m) {
  nb::register_exception_translator(translate);
  m.def(
      "set_errors", [](const nb::dict& by_code) { types().update(by_code); }, nb::arg("by_code"),
      "Sets the exception of each code of the library.");
}

}  // namespace parsimony::python
