#include "options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "parsimony/core/error.hpp"
#include "parsimony/core/nearest_name.hpp"

namespace parsimony::python {
namespace {

std::string repr(const nb::object& object) {
  return nb::repr(object).c_str();
}

// The number of the object, or a null object (and no pending error) if it has none.
nb::object number_or_null(PyObject* (*convert)(PyObject*), const nb::object& object) {
  nb::object number;
  if (!nb::isinstance<nb::bool_>(object) && !nb::isinstance<nb::str>(object)) {
    number = nb::steal(convert(object.ptr()));
  }
  PyErr_Clear();
  return number;
}

std::string or_word(const Field& field) {
  return field.word.empty() ? std::string() : fmt::format("'{}' or ", field.word);
}

}  // namespace

void Keywords::refuse_value(const Field& field, const nb::object& object, const std::string& right) const {
  refuse(fmt::format("{}: must be {}, not {}", field.name, right, repr(object)));
}

std::size_t Keywords::name_index(const Field& field, const nb::object& object,
                                 const std::vector<std::string>& names) const {
  const std::string given = nb::isinstance<nb::str>(object) ? nb::borrow<nb::str>(object).c_str() : "";
  const auto at = std::ranges::find(names, given);
  if (at == names.end()) {
    refuse_value(field, object, fmt::format("one of '{}'", fmt::join(names, "', '")));
  }
  return static_cast<std::size_t>(at - names.begin());
}

bool Keywords::truth(const Field& field, const nb::object& object) const {
  const bool is_bool = nb::isinstance<nb::bool_>(object);
  if (!is_bool && std::string_view(nb::type_name(object.type()).c_str()) != "numpy.bool") {
    refuse_value(field, object, "True or False");
  }
  return nb::cast<bool>(nb::bool_(object));
}

bool Keywords::is_word(const Field& field, const nb::object& object) const {
  if (field.word.empty()) return false;
  return object.is_none() ||
         (nb::isinstance<nb::str>(object) && field.word == nb::borrow<nb::str>(object).c_str());
}

std::int64_t Keywords::whole_number(const Field& field, const nb::object& object, std::int64_t low,
                                    std::int64_t high) const {
  const nb::object number = number_or_null(PyNumber_Index, object);
  if (!number.is_valid()) refuse_value(field, object, or_word(field) + "a whole number");
  int overflow = 0;
  const std::int64_t value = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
  // Names the range of the field where it has one.
  if (overflow != 0) throw_out_of_range(field, overflow < 0 ? -HUGE_VAL : HUGE_VAL);
  Validate{}(Field{field.name, field.help, field.low, field.high}, value);
  if (value < low || value > high) throw_out_of_range(field, static_cast<double>(value));
  return value;
}

std::uint64_t Keywords::unsigned_number(const Field& field, const nb::object& object) const {
  const nb::object number = number_or_null(PyNumber_Index, object);
  const std::uint64_t value = number.is_valid() ? PyLong_AsUnsignedLongLong(number.ptr()) : 0;
  const bool bad = PyErr_Occurred() != nullptr;
  PyErr_Clear();
  if (!number.is_valid() || bad) refuse_value(field, object, "a whole number from 0 to 2^64 - 1");
  return value;
}

double Keywords::real_number(const Field& field, const nb::object& object) const {
  const nb::object number = number_or_null(PyNumber_Float, object);
  if (!number.is_valid()) refuse_value(field, object, or_word(field) + "a number");
  const double value = nb::cast<double>(number);
  // A number must lie in the range: only the word stands for a value outside it.
  Validate{}(Field{field.name, field.help, field.low, field.high}, value);
  return value;
}

std::string Keywords::text(const Field& field, const nb::object& object) const {
  const nb::object path = nb::steal(PyOS_FSPath(object.ptr()));
  PyErr_Clear();
  if (!path.is_valid() || !nb::isinstance<nb::str>(path)) refuse_value(field, object, "a string");
  return nb::borrow<nb::str>(path).c_str();
}

std::vector<std::string> Keywords::texts(const Field& field, const nb::object& object) const {
  if (nb::isinstance<nb::str>(object)) return {text(field, object)};
  std::vector<std::string> out;
  const nb::object items = nb::steal(PySequence_Fast(object.ptr(), ""));
  PyErr_Clear();
  if (!items.is_valid()) refuse_value(field, object, "a list of strings");
  for (const nb::handle item : items) out.push_back(text(field, nb::borrow(item)));
  return out;
}

void Keywords::refuse_unknown() const {
  std::vector<std::string> keywords;
  for (const std::string& name : known_) keywords.push_back(call_.keyword(name));
  for (const auto& [key, value] : given_) {
    const std::string name = nb::cast<nb::str>(key).c_str();
    if (std::ranges::find(known_, name) != known_.end()) continue;
    std::ranges::sort(keywords);
    keywords.erase(std::ranges::unique(keywords).begin(), keywords.end());
    const std::string near = nearest_name(name, keywords);
    refuse(fmt::format("{}: there is no such keyword{}", name,
                       near.empty() ? fmt::format("; there are {}", fmt::join(keywords, ", ")) : near));
  }
}

void Table::add_number(nb::dict& row, const Field& field, double value, bool whole) {
  const auto number = [&](double x) -> nb::object {
    if (!std::isfinite(x)) return nb::none();
    const nb::float_ real(x);
    return whole ? nb::steal(PyNumber_Long(real.ptr())) : nb::object(real);
  };
  row["low"] = number(field.low);
  row["high"] = number(field.high);
  if (field.word.empty()) {
    row["default"] = number(value);
    return;
  }
  const nb::str word(field.word.data(), field.word.size());
  row["word"] = word;
  row["default"] = value == field.word_value ? nb::object(word) : number(value);
}

}  // namespace parsimony::python
