#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/message.h"

namespace cirro::internal::sqlite {

/// Header fields as bytes, and back: each name and value behind its size. Part
/// of the file's format, version 1. Nothing where `bytes` are none.
[[nodiscard]] std::string PackHeaders(const MessageHeaders& headers);
[[nodiscard]] std::optional<MessageHeaders> UnpackHeaders(
    std::string_view bytes);

/// An event's attributes likewise, each with its type, which no event format
/// but this keeps of every attribute.
[[nodiscard]] std::string PackAttributes(const Event& event);
/// The event of packed attributes and its data, if any. Fails with
/// kInvalidEvent.
[[nodiscard]] Result<Event> UnpackEvent(std::string_view attributes,
                                        std::optional<std::string_view> data,
                                        DataKind kind);

}  // namespace cirro::internal::sqlite
