#include "data/text/json_field.hpp"

#include <fmt/format.h>

#include "parsimony/core/error.hpp"

namespace parsimony::data {
namespace {

const nlohmann::json kAbsentValue;  // null

}  // namespace

JsonField JsonField::operator[](const char* key) const {
  if (!value_->is_object()) fail("must be an object");
  const auto found = value_->find(key);
  return {found == value_->end() ? kAbsentValue : *found, file_,
          place_.empty() ? key : fmt::format("{}.{}", place_, key)};
}

JsonField JsonField::operator[](std::size_t index) const {
  return {(*value_)[index], file_, fmt::format("{}[{}]", place_, index)};
}

std::size_t JsonField::size() const {
  if (is_absent()) return 0;
  if (!value_->is_array()) fail("must be a list");
  return value_->size();
}

std::string JsonField::text() const {
  if (!value_->is_string()) fail("must be a text");
  return value_->get<std::string>();
}

bool JsonField::flag(bool without) const {
  if (is_absent()) return without;
  if (!value_->is_boolean()) fail("must be true or false");
  return value_->get<bool>();
}

std::int64_t JsonField::whole(std::int64_t largest) const {
  if (!value_->is_number_unsigned() || value_->get<std::uint64_t>() > static_cast<std::uint64_t>(largest)) {
    fail(fmt::format("must be a whole number of 0 to {}", largest));
  }
  return value_->get<std::int64_t>();
}

std::string JsonField::type() const {
  return is_absent() ? std::string() : (*this)["type"].text();
}

std::string JsonField::place() const {
  return place_.empty() ? file_ : fmt::format("{}: {}", file_, place_);
}

void JsonField::fail(const std::string& what) const {
  throw Error(ErrorCode::format, place_.empty() ? fmt::format("{}: the file {}", file_, what)
                                                : fmt::format("{}: \"{}\" {}", file_, place_, what));
}

void JsonField::unsupported(const std::string& what) const {
  throw Error(ErrorCode::unsupported, fmt::format("{}: \"{}\" {}", file_, place_, what));
}

}  // namespace parsimony::data
