#pragma once

#include <string>
#include <string_view>

namespace cirro::internal {

/// Whether `pointer` is an RFC 6901 JSON pointer.
[[nodiscard]] bool IsJsonPointer(std::string_view pointer) noexcept;

/// What `pointer` names in `json`, as an ordering key: a string's characters,
/// any other scalar's text. Empty: nothing there, null, an object, an array.
/// The view is into `json`, or into `room` when a string had escapes.
/// REQUIRES: `json` is valid JSON (Event data of DataKind::kJson).
[[nodiscard]] std::string_view KeyAt(std::string_view json,
                                     std::string_view pointer,
                                     std::string& room);

}  // namespace cirro::internal
