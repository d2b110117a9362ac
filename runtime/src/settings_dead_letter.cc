#include <array>

#include "settings_landing.h"

namespace cirro::internal {
namespace {

using enum SettingType;

void LandType(Config& config, std::string_view name,
              const SettingValue& /*value*/) {
  SectionOf(config.dead_letters, name);  // One type so far.
}

constexpr std::array kSettings{
    Setting{.section = "dead_letter",
            .key = "type",
            .type = kChoice,
            .fallback = "sqlite",
            .doc = "What keeps the letters; it decides which module is loaded.",
            .land = &LandType,
            .choices = "sqlite"},
    Setting{.section = "dead_letter",
            .key = "path",
            .type = kText,
            .fallback = "",
            .doc = "The file; it is made with mode 0600.",
            .land = &Land<&Config::dead_letters, &DeadLetterConfig::path>,
            .types = "sqlite",
            .required = "path = \"/data/dead-letters.db\""},
    Setting{.section = "dead_letter",
            .key = "ephemeral",
            .type = kBool,
            .fallback = "false",
            .doc = "The file may be lost with the container. Without it a path "
                   "that is no mount is refused where `K_SERVICE` is set.",
            .land = &Land<&Config::dead_letters, &DeadLetterConfig::ephemeral>,
            .types = "sqlite"},
    Setting{.section = "dead_letter",
            .key = "max_bytes",
            .type = kByteSize,
            .fallback = "1GiB",
            .doc = "The largest size of the file. At it letters that were "
                   "redriven are forgotten, then new ones are refused.",
            .land = &Land<&Config::dead_letters, &DeadLetterConfig::max_bytes>,
            .min = 1 << 20,
            .max = kMaxBytes,
            .types = "sqlite"},
};

}  // namespace

std::span<const Setting> DeadLetterSettings() { return kSettings; }

}  // namespace cirro::internal
