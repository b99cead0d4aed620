#include "models/recipe_object.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/json_nesting.hpp"
#include "parsimony/core/error.hpp"
#include "parsimony/core/file.hpp"
#include "parsimony/core/nearest_name.hpp"

namespace parsimony::models {
namespace {

// Keys of earlier recipes and their names of today.
constexpr std::array<std::pair<std::string_view, std::string_view>, 1> kOldKeys{
    {{"kmeans_iterations", "max_iterations"}}};

constexpr std::int64_t kLargestRecipe = std::int64_t{1} << 22;

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& what) {
  throw Error(ErrorCode::format, fmt::format("{}: {}", file.string(), what));
}

}  // namespace

RecipeObject::RecipeObject(const std::filesystem::path& file) : file_(file) {
  const std::string text = read_file(file, kLargestRecipe);
  if (nests_too_deep(text)) fail(file, "its lists and objects lie too deep within each other");
  try {
    json_ = Json::parse(text);
  } catch (const Json::parse_error& error) {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(error.byte, text.size()));
    throw Error(ErrorCode::format, fmt::format("{}:{}: is not valid JSON here: {}", file.string(),
                                               1 + std::count(text.begin(), end, '\n'), error.what()));
  }
  if (!json_.is_object()) fail(file, "must be a JSON object");
}

const RecipeObject::Json* RecipeObject::find(std::string_view key) {
  known_.emplace(key);
  const auto found = json_.find(std::string(key));
  const auto old =
      std::find_if(kOldKeys.begin(), kOldKeys.end(), [&](const auto& keys) { return keys.second == key; });
  const auto found_old = old == kOldKeys.end() ? json_.end() : json_.find(std::string(old->first));
  if (found_old == json_.end()) return found == json_.end() ? nullptr : &*found;
  if (found != json_.end()) {
    fail(file_, fmt::format("{} is the old name of {}; give one of them", name_of(old->first), name_of(key)));
  }
  return &*found_old;
}

std::string RecipeObject::name_of(std::string_view key) const {
  return fmt::format("{}{}", path_, key);
}

void RecipeObject::wrong_type(std::string_view key, std::string_view right) const {
  const auto found = json_.find(std::string(key));
  const std::string text = found == json_.end()
                               ? "is missing"
                               : "is " + found->dump(-1, ' ', false, Json::error_handler_t::replace);
  fail(file_, fmt::format("{} {}; must be {}", name_of(key), text, right));
}

void RecipeObject::wrong_choice(std::string_view key, const std::vector<std::string>& names) const {
  wrong_type(key, fmt::format("one of \"{}\"", fmt::join(names, "\", \"")));
}

double RecipeObject::number(const Field& field, const Json& value, bool whole) const {
  if (!value.is_number()) wrong_type(field.name, whole ? "a whole number" : "a number");
  const auto out = value.get<double>();
  if (whole && std::nearbyint(out) != out) wrong_type(field.name, "a whole number");
  try {
    Validate{}(field, out);
  } catch (const Error& error) {
    fail(file_, name_of(error.what()));
  }
  return out;
}

std::vector<std::string> RecipeObject::texts(std::string_view key, const Json& value) const {
  std::vector<std::string> out;
  if (!value.is_array()) wrong_type(key, "an array of strings");
  for (const Json& item : value) {
    if (!item.is_string()) wrong_type(key, "an array of strings");
    out.push_back(item.get<std::string>());
  }
  return out;
}

std::optional<RecipeObject> RecipeObject::object(std::string_view key) {
  const Json* found = find(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_object()) wrong_type(key, "an object");
  return RecipeObject(*this, name_of(key) + ".", *found);
}

std::vector<RecipeObject> RecipeObject::objects(std::string_view key) {
  std::vector<RecipeObject> out;
  const Json* found = find(key);
  if (found == nullptr) return out;
  if (!found->is_array()) wrong_type(key, "an array of objects");
  for (std::size_t i = 0; i < found->size(); ++i) {
    if (!(*found)[i].is_object()) wrong_type(key, "an array of objects");
    out.push_back(RecipeObject(*this, fmt::format("{}[{}].", name_of(key), i), (*found)[i]));
  }
  return out;
}

RecipeObject RecipeObject::required_object(std::string_view key) {
  if (find(key) == nullptr) wrong_type(key, "an object");
  return *object(key);
}

std::string RecipeObject::text(std::string_view key) {
  const Json* found = find(key);
  if (found == nullptr || !found->is_string()) wrong_type(key, "a string");
  return found->get<std::string>();
}

std::size_t RecipeObject::choice(std::string_view key, const std::vector<std::string>& names) {
  const Json* found = find(key);
  const auto match = found == nullptr || !found->is_string()
                         ? names.end()
                         : std::find(names.begin(), names.end(), found->get_ref<const std::string&>());
  if (match == names.end()) wrong_choice(key, names);
  return static_cast<std::size_t>(match - names.begin());
}

std::filesystem::path RecipeObject::resolve(const std::string& path) const {
  if (path.empty()) return {};
  return std::filesystem::absolute(file_.parent_path() / path).lexically_normal();
}

void RecipeObject::finish() const {
  const std::vector<std::string> names(known_.begin(), known_.end());
  for (const auto& item : json_.items()) {
    const auto old = std::find_if(kOldKeys.begin(), kOldKeys.end(),
                                  [&](const auto& keys) { return keys.first == item.key(); });
    if (known_.contains(old == kOldKeys.end() ? std::string_view(item.key()) : old->second)) continue;
    fail(file_,
         fmt::format("{} is not a key of a recipe{}", name_of(item.key()), nearest_name(item.key(), names)));
  }
}

}  // namespace parsimony::models
