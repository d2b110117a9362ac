#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config.h"

// The lines of mistakes that are names, each with what was probably meant.
namespace cirro::internal {

/// "what (where it was given)more".
[[nodiscard]] std::string MistakeAt(std::string_view what,
                                    const Assignment& given,
                                    std::string_view more = {});

/// A setting that there is not, in a section of `type` where that is known.
[[nodiscard]] std::string UnknownSetting(const Assignment& given,
                                         std::string_view type = {});

/// `[section]`, with nothing in it, that there is not; `name` is what stands
/// after its first dot.
[[nodiscard]] std::string UnknownSection(const Assignment& given,
                                         std::string_view name);

/// A function that is not one of `functions`.
[[nodiscard]] std::string UnknownFunction(
    const Assignment& given, std::string_view name,
    std::span<const std::string> functions);

}  // namespace cirro::internal
