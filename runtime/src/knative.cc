#include "knative.h"

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

namespace cirro::internal {
namespace {

Error Wrong(const std::string& why) {
  return Error{ErrorCode::kInvalidConfig,
               "knative.ce_overrides (K_CE_OVERRIDES): " + why};
}

}  // namespace

Result<std::vector<Extension>> ParseOverrides(std::string_view json) {
  std::vector<Extension> overrides;
  if (json.empty()) return overrides;
  const auto parsed = nlohmann::json::parse(json, nullptr, false);
  if (!parsed.is_object()) return Wrong("must be a JSON object");
  for (const auto& [key, value] : parsed.items()) {
    if (key != "extensions") {
      return Wrong("unknown key " + key + "; did you mean extensions?");
    }
    if (!value.is_object()) return Wrong("extensions must be an object");
    for (const auto& [name, text] : value.items()) {
      if (!IsAttributeName(name)) {
        return Wrong("extension " + name + ": a name is a-z and 0-9");
      }
      if (text.is_string()) {
        overrides.emplace_back(name, text.get<std::string>());
      } else if (text.is_boolean()) {
        overrides.emplace_back(name, text.get<bool>());
      } else if (text.is_number_integer() &&
                 text.get<std::int64_t>() >=
                     std::numeric_limits<std::int32_t>::min() &&
                 text.get<std::int64_t>() <=
                     std::numeric_limits<std::int32_t>::max()) {
        overrides.emplace_back(name, text.get<std::int32_t>());
      } else {
        return Wrong("extension " + name +
                     ": must be a string, a boolean or a 32-bit integer");
      }
    }
  }
  return overrides;
}

}  // namespace cirro::internal
