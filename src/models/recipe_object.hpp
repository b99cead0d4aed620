// An object of a recipe, read by what describes the options that it is for.
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

/// A visitor of describe(): sets the fields whose keys are there, and remembers which there may be. All its
/// errors are of the code format and name the file and the path of the key.
class RecipeObject {
 public:
  using Json = nlohmann::ordered_json;

  /// The whole of a file. Throws io, and format for what is no JSON object.
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
    } else if constexpr (std::is_integral_v<T>) {
      if constexpr (std::is_unsigned_v<T>) {
        if (found->is_number_unsigned()) {  // all 64 bits of a seed
          value = found->template get<T>();
          return;
        }
      }
      const double whole = number(field, *found, true);
      // The greatest is rounded up to a power of two where T has 64 bits.
      if (!(whole >= static_cast<double>(std::numeric_limits<T>::min()) &&
            whole < static_cast<double>(std::numeric_limits<T>::max()))) {
        wrong_type(field.name, whole < 0 ? "0 or positive" : "a smaller number");
      }
      value = static_cast<T>(whole);
    } else if constexpr (std::is_floating_point_v<T>) {
      value = static_cast<T>(number(field, *found, false));
    } else if constexpr (std::is_same_v<T, std::filesystem::path>) {
      value = resolve(text(field.name));  // an empty one stays empty
    } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
      value = texts(field.name, *found);
    } else {
      value = text(field.name);
    }
  }

  bool has(std::string_view key) const { return json_.contains(std::string(key)); }

  /// The object under that key, if there is one.
  std::optional<RecipeObject> object(std::string_view key);
  /// The objects of the array under that key; none where it is not there.
  std::vector<RecipeObject> objects(std::string_view key);
  /// The same as object; throws where there is none.
  RecipeObject required_object(std::string_view key);
  /// The text under that key. Throws where there is none.
  std::string text(std::string_view key);
  /// What the text of the key is one of, by its place.
  std::size_t choice(std::string_view key, const std::vector<std::string>& names);
  /// Relative paths begin where the file lies; what comes out is absolute, wherever the program was started.
  std::filesystem::path resolve(const std::string& path) const;

  /// Throws for a key that nobody asked for, with the nearest of those that were.
  void finish() const;

 private:
  RecipeObject(const RecipeObject& parent, std::string path, Json json)
      : file_(parent.file_), path_(std::move(path)), json_(std::move(json)) {}

  const Json* find(std::string_view key);
  double number(const Field& field, const Json& value, bool whole) const;
  std::vector<std::string> texts(std::string_view key, const Json& value) const;
  std::string name_of(std::string_view key) const;
  [[noreturn]] void wrong_type(std::string_view key, std::string_view right) const;
  [[noreturn]] void wrong_choice(std::string_view key, const std::vector<std::string>& names) const;

  std::filesystem::path file_;
  std::string path_;  // of the object, and a dot; empty: of the whole
  Json json_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace parsimony::models
