#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "settings.h"

// What the files of the table have in common: where a value lands, and bounds.
namespace cirro::internal {

template <typename T>
T& SectionOf(T& section, std::string_view /*name*/) {
  return section;
}
template <typename T>
T& SectionOf(Named<T>& sections, std::string_view name) {
  const auto it = sections.find(name);
  return it != sections.end() ? it->second : sections[std::string(name)];
}

template <typename T>
void Assign(T& target, const SettingValue& value) {
  if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, Secret> ||
                std::is_same_v<T, std::string> ||
                std::is_same_v<T, std::chrono::milliseconds>) {
    target = std::get<T>(value);
  } else {  // Numbers, which the table bounds, and the index of a choice.
    target = static_cast<T>(std::get<std::int64_t>(value));
  }
}
template <typename T>
void Assign(std::optional<T>& target, const SettingValue& value) {
  Assign(target.emplace(), value);
}

template <auto kSection, auto kField>
void Land(Config& config, std::string_view name, const SettingValue& value) {
  Assign(SectionOf(config.*kSection, name).*kField, value);
}

inline constexpr std::int64_t kMaxCount = 10'000'000;
inline constexpr std::int64_t kMaxBytes = 1LL << 40;
inline constexpr std::int64_t kOneDay = 86'400'000;

/// Those of `[http]` and `[admin]`, which Settings() begins with.
[[nodiscard]] std::span<const Setting> HttpSettings();

}  // namespace cirro::internal
