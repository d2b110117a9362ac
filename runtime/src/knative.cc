#include "knative.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cirro/cloudevents/utf8.h"

namespace cirro::internal {
namespace {

Error Wrong(std::string why) {
  return Error{ErrorCode::kInvalidConfig, std::move(why)};
}

// Context attributes and what stands beside them in the JSON format.
constexpr std::array<std::string_view, 9> kCore{
    "id",         "source",          "type", "specversion", "subject", "time",
    "dataschema", "datacontenttype", "data"};

Error WrongExtension(const std::string& name, const std::string& rule) {
  // Dumped, since the name may be anything.
  return Wrong("extension " + nlohmann::json(name).dump() + ": " + rule);
}

// The value as an attribute has it; nothing: of no type that one could have.
std::optional<Extension> ToExtension(const std::string& name,
                                     const nlohmann::json& value) {
  using Bounds = std::numeric_limits<std::int32_t>;
  if (value.is_string()) return Extension(name, value.get<std::string>());
  if (value.is_boolean()) return Extension(name, value.get<bool>());
  if (!value.is_number_integer()) return std::nullopt;
  // What does not fit 64 bits with a sign is read without one.
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() > std::uint64_t{Bounds::max()}) {
    return std::nullopt;
  }
  const auto number = value.get<std::int64_t>();
  if (number < Bounds::min() || number > Bounds::max()) return std::nullopt;
  return Extension(name, static_cast<std::int32_t>(number));
}

}  // namespace

Result<std::vector<Extension>> ParseOverrides(std::string_view json) {
  std::vector<Extension> overrides;
  if (json.empty()) return overrides;
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  if (!parsed.is_object()) return Wrong("must be a JSON object");
  for (const auto& [key, value] : parsed.items()) {
    if (key != "extensions") {
      return Wrong("unknown key " + nlohmann::json(key).dump() +
                   "; did you mean extensions?");
    }
    if (!value.is_object()) return Wrong("extensions must be an object");
    for (const auto& [name, given] : value.items()) {
      if (std::find(kCore.begin(), kCore.end(), name) != kCore.end()) {
        return WrongExtension(name, "no core attribute can be overridden");
      }
      if (!IsAttributeName(name)) {
        return WrongExtension(name, "a name consists of a-z and 0-9");
      }
      auto extension = ToExtension(name, given);
      if (!extension) {
        return WrongExtension(name,
                              "must be a string, a boolean or a whole number "
                              "of 32 bits");
      }
      if (given.is_string() && !IsAttributeString(extension->text)) {
        return WrongExtension(name,
                              "must hold no control characters and no "
                              "noncharacters");
      }
      overrides.push_back(*std::move(extension));
    }
  }
  return overrides;
}

}  // namespace cirro::internal
