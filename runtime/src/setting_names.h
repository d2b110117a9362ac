#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "settings.h"
#include "units.h"

// Names of settings: taken apart, in the environment's spelling, mistyped.
namespace cirro::internal {

inline constexpr std::string_view kOwnPrefix = "CIRRO__";

[[nodiscard]] std::string EnvironmentName(std::string_view setting);
// "function.hello.timeout" for CIRRO__FUNCTION__HELLO__TIMEOUT.
[[nodiscard]] std::string SettingOfEnvironment(std::string_view name);

// "section.key", "section.NAME.key", or "section.NAME.table.any.key", taken
// apart.
struct Path {
  std::string_view section;
  std::string_view name;
  std::string_view key;
  std::string_view entry{};  // "any.key" of a kTable.
};

[[nodiscard]] Path Split(std::string_view setting);
[[nodiscard]] std::string Join(std::string_view section, std::string_view name,
                               std::string_view key);

// Null: there is none.
[[nodiscard]] const Section* FindSection(std::string_view name);
// The first that a section of `type` has; of any type where that is empty.
[[nodiscard]] const Setting* FindSetting(std::string_view section,
                                         std::string_view key,
                                         std::string_view type = {});

// What a person who wrote `wrong` probably meant; empty if nothing is near.
class Nearest {
 public:
  explicit Nearest(std::string_view wrong)
      : wrong_(wrong), best_(std::max<std::size_t>(2, wrong.size() / 3) + 1) {}

  void Offer(const std::string& candidate) {
    const std::size_t distance = TypingDistance(wrong_, candidate);
    if (distance >= best_) return;
    best_ = distance;
    candidate_ = candidate;
  }
  [[nodiscard]] const std::string& candidate() const { return candidate_; }

 private:
  std::string_view wrong_;
  std::size_t best_;
  std::string candidate_;
};

}  // namespace cirro::internal
