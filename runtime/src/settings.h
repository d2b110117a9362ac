#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config.h"

namespace cirro::internal {

enum class SettingType : std::uint8_t {
  kBool,
  kInteger,
  kDuration,
  kByteSize,
  kText,
  kUrl,     // http or https; credentials in it are masked.
  kChoice,  // One of the names in `choices`; lands as its index.
  kSecret,  // Never shown; KEY_file reads it from a file.
  kPem,     // Certificates; KEY_file likewise.
  kList,    // Texts: an array of strings, or one text with commas between.
  kTable,   // KEY.ANY.NAME = text: a library's own settings, passed through.
};

// One line of a kTable.
struct TableEntry {
  std::string key;
  std::string value;
};

using SettingValue =
    std::variant<bool, std::int64_t, std::chrono::milliseconds, std::string,
                 Secret, std::vector<std::string>, TableEntry>;

struct Section {
  std::string_view name;
  bool named;  // Written `[name.NAME]`, any number of times.
  std::string_view doc;
  // Its key `type`, a kChoice, decides which of its other keys there are.
  bool typed = false;
};

/// One line of the table that parsing, `config --print`, suggestions and
/// docs/configuration.md are made from.
struct Setting {
  std::string_view section;
  std::string_view key;
  SettingType type;
  /// As it would be written; empty: not set.
  std::string_view fallback;
  /// One sentence; `What` it does, what else it may be.
  std::string_view doc;
  /// Where the value goes. For a named section `name` is its NAME.
  void (*land)(Config& config, std::string_view name,
               const SettingValue& value);
  std::int64_t min = 0;  // Of numbers, durations (ms) and sizes (bytes).
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  std::string_view choices{};  // "a|b|c"
  /// The environment name that platforms set; in a named section it is where
  /// nobody says anything else.
  std::string_view platform{};
  std::string_view flag{};  // "--port"
  /// Says where a default that is not written here comes from.
  std::string_view computed{};
  /// What the type does not say; fails with the rule. Null: nothing.
  Result<void> (*check)(std::string_view text) = nullptr;
  /// In a typed section: the types that have it, "kafka|nats"; empty: all.
  std::string_view types{};
  /// In a named section: must be set, like this, say. Empty: need not be.
  std::string_view required{};
};

/// Whether a section of `type` has it. An empty type is any.
[[nodiscard]] bool IsOfType(const Setting& setting,
                            std::string_view type) noexcept;
/// Whether the text is never shown; `key` is one of a kTable.
[[nodiscard]] bool IsSecret(const Setting& setting,
                            std::string_view key) noexcept;

[[nodiscard]] std::span<const Section> Sections();
/// All, those of one section together, in the order of Sections().
[[nodiscard]] std::span<const Setting* const> Settings();
/// Those of a section, which is one of Sections().
[[nodiscard]] std::span<const Setting* const> SettingsOf(
    const Section& section);

/// `text` as a value of `setting`. Fails with kInvalidConfig; the message says
/// the rule, but neither the value nor where it came from.
[[nodiscard]] Result<SettingValue> ParseValue(const Setting& setting,
                                              std::string_view text);
/// `text`, which ParseValue took, as TOML, with secrets masked; of a kTable
/// that of its `key`.
[[nodiscard]] std::string ShowValue(const Setting& setting,
                                    std::string_view text,
                                    std::string_view key = {});
/// As a TOML string.
[[nodiscard]] std::string Quoted(std::string_view text);
/// What kind of value it takes, for people: "duration, at least 1ms".
[[nodiscard]] std::string DescribeRule(const Setting& setting);

}  // namespace cirro::internal
