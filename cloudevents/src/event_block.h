#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "cirro/cloudevents/attribute.h"
#include "cirro/cloudevents/event.h"

namespace cirro::internal {

// The core attributes, in the order in which an event lists them.
enum Core : std::uint8_t {
  kSpecversion,
  kId,
  kSource,
  kType,
  kDatacontenttype,
  kDataschema,
  kSubject,
  kTime,
};
inline constexpr std::size_t kCoreCount = 8;

struct CoreAttribute {
  std::string_view name;
  AttributeType type;
  int rule;
};

inline constexpr std::array<CoreAttribute, kCoreCount> kCore = {{
    {"specversion", AttributeType::kString, 15},
    {"id", AttributeType::kString, 13},
    {"source", AttributeType::kUriReference, 14},
    {"type", AttributeType::kString, 16},
    {"datacontenttype", AttributeType::kString, 17},
    {"dataschema", AttributeType::kUri, 19},
    {"subject", AttributeType::kString, 20},
    {"time", AttributeType::kTimestamp, 21},
}};

/// The core attribute called `name`, or nothing. In place: what is around it
/// then needs no frame, for each attribute of each event.
[[gnu::always_inline]] inline std::optional<Core> FindCore(
    std::string_view name) noexcept {
  // The lengths are literals, and so the comparisons are no calls.
  const auto is = [name](Core core, const auto& spelled) {
    return std::memcmp(name.data(), spelled, sizeof spelled - 1) == 0
               ? std::optional(core)
               : std::nullopt;
  };
  switch (name.size()) {
    case 2:
      return is(kId, "id");
    case 4:
      return name[1] == 'y' ? is(kType, "type") : is(kTime, "time");
    case 6:
      return is(kSource, "source");
    case 7:
      return is(kSubject, "subject");
    case 10:
      return is(kDataschema, "dataschema");
    case 11:
      return is(kSpecversion, "specversion");
    case 15:
      return is(kDatacontenttype, "datacontenttype");
    default:
      return std::nullopt;
  }
}

// What the data is, or what it claims to be until somebody asks: a body that
// is only passed on is never walked.
enum class DataState : std::uint8_t {
  kNone,
  kJson,
  kText,
  kBinary,
  kClaimsJson,
  kClaimsText,
};

// Where something lies in the block, counted from its begin.
struct Slice {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};

struct ExtensionSlot {
  Slice name;
  Slice text;
  AttributeType type = AttributeType::kString;
};

// The head of an event's one block of memory. Behind it lie the extension
// slots, the texts, and the data. Constant once built, but for `references`
// and `data_state`, which only ever goes from a claim to the truth.
struct EventBlock {
  std::atomic<std::uint32_t> references = 1;
  std::atomic<DataState> data_state = DataState::kNone;
  std::uint32_t total_bytes = 0;
  std::uint32_t max_json_depth = 0;
  std::uint32_t core_count = 0;
  std::uint32_t extension_count = 0;
  std::array<Slice, kCoreCount> core{};  // size 0: absent
  Slice data;

  [[nodiscard]] std::string_view At(Slice slice) const noexcept {
    return {reinterpret_cast<const char*>(this) + slice.offset, slice.size};
  }
  [[nodiscard]] const ExtensionSlot* extensions() const noexcept {
    return reinterpret_cast<const ExtensionSlot*>(this + 1);
  }
};

static_assert(alignof(ExtensionSlot) <= alignof(EventBlock));
static_assert(std::atomic<DataState>::is_always_lock_free);

/// What data claims by its datacontenttype. `known` is what the format or the
/// author said, kNone where only the media type can tell.
DataState Claim(std::string_view datacontenttype, DataKind known) noexcept;

/// The way into an Event for those who make one.
struct EventAccess {
  static Event Adopt(EventBlock* block) noexcept { return Event(block); }
};

}  // namespace cirro::internal
