// An object of a recipe, read through the describe() of the options that it sets.
#pragma once

#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "parsimony/core/options.hpp"

namespace parsimony::models {

/// A visitor for describe(): sets the fields whose keys are present and remembers all valid keys. Every error
/// has the code format and names the file and the path of the key.
class RecipeObject {
 public:
  using Json = nlohmann::ordered_json;

  /// The object that a whole file holds. Throws io, and format if the file is not a JSON object.
  explicit RecipeObject(const std::filesystem::path& file);

  template <class T>
  void operator()(const Field& field, T& value) {
    const Json* found = find(field.name);
    if (found == nullptr) return;
    if constexpr (std::is_same_v<T, bool>) {
      if (!found->is_boolean()) wrong_type(field.name, "true or false");
      value = found->template get<bool>();
    } else if constexpr (std::is_enum_v<T>) {
      std::vector<std::string> names;
      for (const auto& [candidate, name] : names_of(T{})) {
        names.emplace_back(name);
        if (found->is_string() && found->template get_ref<const std::string&>() == name) {
          value = candidate;
          return;
        }
      }
      wrong_choice(field.name, names);
    } else if constexpr (std::is_arithmetic_v<T>) {
      if (!field.word.empty() && found->is_string() &&
          found->template get_ref<const std::string&>() == field.word) {
        value = static_cast<T>(field.word_value);
        return;
      }
      set_number(field, *found, value);
    } else if constexpr (std::is_same_v<T, std::filesystem::path>) {
      value = resolve(text(field.name));  // an empty path stays empty
    } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
      value = texts(field.name, *found);
    } else if constexpr (std::is_same_v<T, std::vector<std::int64_t>>) {
      if (!found->is_array()) wrong_type(field.name, "an array of whole numbers");
      value.clear();
      for (const Json& item : *found) set_number(field, item, value.emplace_back());
    } else {
      value = text(field.name);
    }
  }

  bool has(std::string_view key) const { return json_.contains(std::string(key)); }

  /// The object under that key; none if the key is absent.
  std::optional<RecipeObject> object(std::string_view key);
  /// The objects of the array under that key; none if the key is absent.
  std::vector<RecipeObject> objects(std::string_view key);
  /// Like object(), but throws if the key is absent.
  RecipeObject required_object(std::string_view key);
  /// The string under that key. Throws if there is none.
  std::string text(std::string_view key);
  /// The index in `names` of the string under that key. Throws if it is not one of them.
  std::size_t choice(std::string_view key, const std::vector<std::string>& names);
  /// Makes a path absolute; a relative one is relative to the folder of the recipe file.
  std::filesystem::path resolve(const std::string& path) const;

  /// Throws for a key that no field has read, and suggests the nearest valid one.
  void finish() const;

 private:
  RecipeObject(const RecipeObject& parent, std::string path, Json json)
      : file_(parent.file_), path_(std::move(path)), json_(std::move(json)) {}

  const Json* find(std::string_view key);
  template <class T>
  void set_number(const Field& field, const Json& json, T& value) const {
    if constexpr (std::is_unsigned_v<T>) {
      if (json.is_number_unsigned()) {  // all 64 bits of a seed
        value = json.get<T>();
        return;
      }
    }
    const double number = this->number(field, json, std::is_integral_v<T>);
    if constexpr (std::is_integral_v<T>) {
      // With 64 bits the largest T rounds up to a power of two as a double, hence "less than".
      if (!(number >= static_cast<double>(std::numeric_limits<T>::min()) &&
            number < static_cast<double>(std::numeric_limits<T>::max()))) {
        wrong_type(field.name, number < 0 ? "0 or positive" : "a smaller number");
      }
    }
    value = static_cast<T>(number);
  }
  double number(const Field& field, const Json& value, bool whole) const;
  std::vector<std::string> texts(std::string_view key, const Json& value) const;
  std::string name_of(std::string_view key) const;
  [[noreturn]] void wrong_type(std::string_view key, std::string_view right) const;
  [[noreturn]] void wrong_choice(std::string_view key, const std::vector<std::string>& names) const;

  std::filesystem::path file_;
  std::string path_;  // path of this object and a dot; empty for the whole file
  Json json_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace parsimony::models
