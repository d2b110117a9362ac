#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cirro/cloudevents/decode_options.h"
#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/media_type.h"  // IsJsonMediaType
#include "cirro/cloudevents/result.h"

namespace cirro {

inline constexpr std::string_view kJsonMediaType =
    "application/cloudevents+json";
inline constexpr std::string_view kJsonBatchMediaType =
    "application/cloudevents-batch+json";

/// One event in the JSON event format. Fails with kInvalidEvent (every broken
/// rule) or kTooLarge.
/// Source: CloudEvents JSON Event Format v1.0.2.
[[nodiscard]] CIRRO_EXPORT Result<Event> DecodeJson(
    std::string_view json, const DecodeOptions& options = {});

/// The members of a JSON batch, in order: an Event each, or what is wrong with
/// that one. Fails as a whole (kInvalidEvent) when the text is no JSON array,
/// kTooLarge when it has more than options.max_batch_events members.
/// Source: CloudEvents JSON Event Format v1.0.2, section 4.
[[nodiscard]] CIRRO_EXPORT Result<std::vector<Result<Event>>> DecodeJsonBatch(
    std::string_view json, const DecodeOptions& options = {});

/// Appends the event in the JSON event format to `out`. Never fails: an Event
/// is valid, and data that is not what its media type says goes out as
/// `data_base64`.
CIRRO_EXPORT void EncodeJson(const Event& event, std::string& out);
[[nodiscard]] CIRRO_EXPORT std::string EncodeJson(const Event& event);

/// A JSON batch of the events, in order.
[[nodiscard]] CIRRO_EXPORT std::string EncodeJsonBatch(
    std::span<const Event> events);

/// Whether `text` is one JSON value (RFC 8259), valid UTF-8, nested no deeper
/// than `max_depth` (1,024 at most); a lone surrogate escape is refused.
/// Allocates nothing.
[[nodiscard]] CIRRO_EXPORT bool IsJson(std::string_view text,
                                       std::size_t max_depth = 64) noexcept;

}  // namespace cirro
