#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "cirro/dispatch/consumer_groups.h"
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
  // What a library is handed as it is needs no guard of its own any more.
  if (const auto* const secret = std::get_if<Secret>(&value)) {
    if constexpr (std::is_same_v<T, std::string>) {
      target = secret->Reveal();
      return;
    }
  }
  if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, Secret> ||
                std::is_same_v<T, std::string> ||
                std::is_same_v<T, std::vector<std::string>> ||
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

// from.*kFirst.*kRest ...
template <auto kFirst, auto... kRest, typename T>
auto& Follow(T& from) {
  if constexpr (sizeof...(kRest) == 0) {
    return from.*kFirst;
  } else {
    return Follow<kRest...>(from.*kFirst);
  }
}

template <auto kSection, auto... kPath>
void Land(Config& config, std::string_view name, const SettingValue& value) {
  Assign(Follow<kPath...>(SectionOf(config.*kSection, name)), value);
}

// A line of a kTable, to be handed on in the order of its keys.
template <auto kSection, auto... kPath>
void LandEntry(Config& config, std::string_view name,
               const SettingValue& value) {
  const auto& entry = std::get<TableEntry>(value);
  Follow<kPath...>(SectionOf(config.*kSection, name))
      .emplace_back(entry.key, entry.value);
}

// binary|structured|batch, or fewer of them.
template <auto kSection, auto... kPath>
void LandMode(Config& config, std::string_view name,
              const SettingValue& value) {
  constexpr std::array kModes{ContentMode::kBinary, ContentMode::kStructured,
                              ContentMode::kBatch};
  Follow<kPath...>(SectionOf(config.*kSection, name)) =
      kModes.at(static_cast<std::size_t>(std::get<std::int64_t>(value)));
}

// Where reading begins: "beginning", "end", an RFC 3339 time or an offset.
[[nodiscard]] Result<SeekPoint> ParseSeekPoint(std::string_view text);
[[nodiscard]] Result<void> CheckSeekPoint(std::string_view text);

inline constexpr std::int64_t kMaxCount = 10'000'000;
inline constexpr std::int64_t kMaxBytes = 1LL << 40;
inline constexpr std::int64_t kOneDay = 86'400'000;

/// Parts of the table as one, by the compiler: nothing of it is to be done at
/// each start.
template <std::size_t... kSizes>
consteval auto Together(const std::array<Setting, kSizes>&... parts) {
  std::array<Setting, (kSizes + ...)> all{};
  auto end = all.begin();
  ((end = std::copy(parts.begin(), parts.end(), end)), ...);
  return all;
}

// The table's parts, in its order.
[[nodiscard]] std::span<const Setting> HttpSettings();
[[nodiscard]] std::span<const Setting> ProcessSettings();
[[nodiscard]] std::span<const Setting> DispatchSettings();
[[nodiscard]] std::span<const Setting> InletSettings();
[[nodiscard]] std::span<const Setting> OutletSettings();
[[nodiscard]] std::span<const Setting> DeadLetterSettings();
// Of inlets and outlets.
[[nodiscard]] std::span<const Setting> KafkaSettings();
[[nodiscard]] std::span<const Setting> NatsSettings();
// Of inlets, outlets, and the broker between them.
[[nodiscard]] std::span<const Setting> MemorySettings();

}  // namespace cirro::internal
