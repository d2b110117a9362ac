#pragma once

#include <string>
#include <string_view>

#include "config.h"

// What is wrong with settings that are values, each by itself.
namespace cirro::internal {

/// Null: it is not set.
[[nodiscard]] const EffectiveSetting* FindEffective(const Config& config,
                                                    std::string_view section,
                                                    std::string_view key);

/// The line of a mistake: "http.port = 80: rule (cirro.toml:2)".
[[nodiscard]] std::string MistakeOf(const EffectiveSetting& setting,
                                    std::string_view rule);

/// Where settings contradict each other: a line each. What the code says of
/// its functions counts only if they are known.
[[nodiscard]] std::string CheckTogether(const Config& config,
                                        bool functions_known);

}  // namespace cirro::internal
