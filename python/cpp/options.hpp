// Keywords of Python as options of the library, and tables of these, by the one describe() of each struct.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "call.hpp"
#include "parsimony/core/options.hpp"

namespace parsimony::python {

/// The visitor of describe() that sets the fields whose keywords were given, by their names in the library:
///   Keywords keywords(given, call);
///   describe(options, keywords);
///   keywords.refuse_unknown();
/// Numbers take their word ("auto"), or None for it. Errors name the keyword, its value and what would be
/// right.
class Keywords {
 public:
  Keywords(nb::dict given, const Call& call) : given_(std::move(given)), call_(call) {}

  template <class T>
  void operator()(const Field& field, T& value) {
    const std::string name(field.name);
    known_.push_back(name);
    if (!given_.contains(name.c_str())) return;
    const nb::object object = given_[name.c_str()];
    const std::string keyword = call_.keyword(name);
    Field shown = field;
    shown.name = keyword;
    if constexpr (std::is_enum_v<T>) {
      std::vector<std::string> names;
      for (const auto& [candidate, word] : names_of(T{})) names.emplace_back(word);
      value = names_of(T{})[name_index(shown, object, names)].first;
    } else if constexpr (std::is_same_v<T, bool>) {
      value = truth(shown, object);
    } else if constexpr (std::is_arithmetic_v<T>) {
      if (is_word(shown, object)) {
        value = static_cast<T>(shown.word_value);
      } else if constexpr (std::is_unsigned_v<T>) {
        value = static_cast<T>(unsigned_number(shown, object));
      } else if constexpr (std::is_integral_v<T>) {
        value = static_cast<T>(
            whole_number(shown, object, std::numeric_limits<T>::lowest(), std::numeric_limits<T>::max()));
      } else {
        value = static_cast<T>(real_number(shown, object));
      }
    } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
      value = texts(shown, object);
    } else {
      value = text(shown, object);
    }
  }

  /// Whether the keyword of this option was given.
  bool given(std::string_view option) const { return given_.contains(std::string(option).c_str()); }
  /// Throws invalid_argument for a keyword that no visited struct has, with the nearest name.
  void refuse_unknown() const;

 private:
  std::size_t name_index(const Field& field, const nb::object& object,
                         const std::vector<std::string>& names) const;
  bool truth(const Field& field, const nb::object& object) const;
  bool is_word(const Field& field, const nb::object& object) const;
  std::int64_t whole_number(const Field& field, const nb::object& object, std::int64_t low,
                            std::int64_t high) const;
  std::uint64_t unsigned_number(const Field& field, const nb::object& object) const;
  double real_number(const Field& field, const nb::object& object) const;
  std::string text(const Field& field, const nb::object& object) const;
  std::vector<std::string> texts(const Field& field, const nb::object& object) const;
  [[noreturn]] void refuse_value(const Field& field, const nb::object& object,
                                 const std::string& right) const;

  nb::dict given_;
  const Call& call_;
  std::vector<std::string> known_;
};

/// The options with the keywords; no other struct has any of them.
template <class Options>
Options options_from(const nb::dict& given, const Call& call, Options options = {}) {
  Keywords keywords(given, call);
  describe(options, keywords);
  keywords.refuse_unknown();
  return options;
}

/// The visitor that adds a dict for each field: name, help, type, default, and low, high, word or values.
struct Table {
  nb::list rows;

  template <class T>
  void operator()(const Field& field, const T& value) {
    nb::dict row;
    row["name"] = nb::str(field.name.data(), field.name.size());
    row["help"] = nb::str(field.help.data(), field.help.size());
    if constexpr (std::is_enum_v<T>) {
      nb::list words;
      for (const auto& [candidate, word] : names_of(T{})) words.append(nb::str(word.data(), word.size()));
      row["type"] = "str";
      row["values"] = words;
      row["default"] = nb::str(enum_name(value).data(), enum_name(value).size());
    } else if constexpr (std::is_same_v<T, bool>) {
      row["type"] = "bool";
      row["default"] = nb::bool_(value);
    } else if constexpr (std::is_arithmetic_v<T>) {
      row["type"] = std::is_integral_v<T> ? "int" : "float";
      add_number(row, field, static_cast<double>(value), std::is_integral_v<T>);
    } else {
      row["type"] = std::is_same_v<T, std::vector<std::string>> ? "list" : "str";
      row["default"] = nb::none();
    }
    rows.append(row);
  }

 private:
  static void add_number(nb::dict& row, const Field& field, double value, bool whole);
};

/// Puts the table of an options struct into _core.options, as a function without arguments.
template <class Options>
void offer_options(nb::module_& m, const char* name) {
  nb::borrow<nb::dict>(m.attr("options"))[name] = nb::cpp_function([] {
    Table table;
    describe(static_cast<const Options&>(Options{}), table);
    return table.rows;
  });
}

}  // namespace parsimony::python
