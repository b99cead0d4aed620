// A value of a JSON file with its place in it, for messages.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace parsimony::data {

class JsonField {
 public:
  /// The value stays the caller's.
  JsonField(const nlohmann::json& value, std::string file, std::string place = "")
      : value_(&value), file_(std::move(file)), place_(std::move(place)) {}

  const nlohmann::json& json() const { return *value_; }
  const std::string& file() const { return file_; }

  bool is_absent() const { return value_->is_null(); }  ///< null, or missing in its object

  /// A field of an object; absent where the object does not have it. Throws format where this is not an
  /// object.
  JsonField operator[](const char* key) const;
  JsonField operator[](std::size_t index) const;  ///< an entry of a list that has it

  std::size_t size() const;       ///< entries of a list; 0 where absent. Throws format for anything else
  std::string text() const;       ///< throws format for anything but a text
  bool flag(bool without) const;  ///< `without` where absent
  std::int64_t whole(std::int64_t largest) const;  ///< 0 to largest

  /// The text under "type"; empty where this is absent.
  std::string type() const;

  std::string place() const;                                     ///< file and field
  [[noreturn]] void fail(const std::string& what) const;         ///< throws format
  [[noreturn]] void unsupported(const std::string& what) const;  ///< throws unsupported

 private:
  const nlohmann::json* value_;
  std::string file_, place_;
};

}  // namespace parsimony::data
