#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

extern "C" char** environ;  // NOLINT(readability-redundant-declaration)

namespace cirro::internal {

/// The names and values of an environment, in its order.
using Environment = std::vector<std::pair<std::string, std::string>>;

/// That of the process. REQUIRES: nobody changes it at the same time.
[[nodiscard]] inline Environment ReadEnvironment() {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    environment.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

[[nodiscard]] inline std::string Find(const Environment& environment,
                                      std::string_view name) {
  for (const auto& [key, value] : environment) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace cirro::internal
