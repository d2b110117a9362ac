#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "cirro/cloudevents/attribute.h"
#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/timestamp.h"

namespace cirro {

namespace internal {
struct EventBlock;
struct EventAccess;
}  // namespace internal

/// What an event's data is. It decides `data` or `data_base64` in the JSON
/// format; the bytes are the producer's own in each case.
enum class DataKind : std::uint8_t {
  kNone,    ///< No data. Different from data of zero bytes.
  kJson,    ///< JSON by its media type, and checked: grammar, UTF-8, depth.
  kText,    ///< UTF-8 text that is not JSON by its media type.
  kBinary,  ///< Bytes; also what claims to be JSON or text and is not.
};

/// A CloudEvents 1.0 event that obeys the specification. There is no other
/// kind: EventBuilder and the decoders give an Event or an Error.
///
/// One reference-counted immutable block holds all of it: a copy is a count,
/// an accessor returns a view into the block, valid while any copy lives. Any
/// number of threads may read one Event. A moved-from Event may only be
/// assigned to or destroyed.
///
/// Source: CloudEvents v1.0.2, "Context Attributes".
class CIRRO_EXPORT Event {
 public:
  Event(const Event& other) noexcept;
  Event(Event&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)) {}
  Event& operator=(const Event& other) noexcept;
  Event& operator=(Event&& other) noexcept;
  ~Event();

  [[nodiscard]] std::string_view id() const noexcept;
  [[nodiscard]] std::string_view source() const noexcept;
  [[nodiscard]] std::string_view type() const noexcept;
  [[nodiscard]] std::string_view specversion() const noexcept;

  // The optional attributes are empty when absent: present and empty breaks
  // the specification.
  [[nodiscard]] std::string_view subject() const noexcept;
  [[nodiscard]] std::string_view datacontenttype() const noexcept;
  [[nodiscard]] std::string_view dataschema() const noexcept;
  /// The producer's own text, as it goes out again; see also `time()`.
  [[nodiscard]] std::string_view time_text() const noexcept;
  [[nodiscard]] std::optional<Timestamp> time() const noexcept;

  /// The text of the extension `name`, or nothing when absent.
  [[nodiscard]] std::optional<std::string_view> extension(
      std::string_view name) const noexcept;
  /// Any attribute, core or extension, by its name; nothing when absent.
  [[nodiscard]] std::optional<Attribute> attribute(
      std::string_view name) const noexcept;

  /// Every attribute that is present: core ones first, in the order
  /// specversion, id, source, type, datacontenttype, dataschema, subject,
  /// time; then extensions in the order they came.
  [[nodiscard]] std::size_t attribute_count() const noexcept;
  /// REQUIRES: index < attribute_count().
  [[nodiscard]] Attribute attribute_at(std::size_t index) const noexcept;

  /// What the data was found to be. The first call may walk the data: a body
  /// that says JSON is checked when somebody asks, once.
  [[nodiscard]] DataKind data_kind() const noexcept;
  [[nodiscard]] bool has_data() const noexcept;
  /// The data's bytes; empty when there is none.
  [[nodiscard]] std::string_view data() const noexcept;
  [[nodiscard]] std::span<const std::byte> data_bytes() const noexcept {
    return std::as_bytes(std::span(data()));
  }

  /// What this event weighs against a bound in bytes: the whole block.
  [[nodiscard]] std::size_t memory_size() const noexcept;

  /// Same attributes (name, type, text; extensions in any order) and same
  /// data: none, or these bytes. The kind is no part of it, for it follows
  /// from the bytes and datacontenttype, or was lost on the way.
  friend CIRRO_EXPORT bool operator==(const Event& a, const Event& b) noexcept;

 private:
  friend struct internal::EventAccess;
  explicit Event(internal::EventBlock* adopted) noexcept : block_(adopted) {}

  internal::EventBlock* block_;
};

}  // namespace cirro
