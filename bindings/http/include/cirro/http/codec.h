#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cirro/cloudevents/content_mode.h"
#include "cirro/cloudevents/decode_options.h"
#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/event_assembler.h"
#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/header_text.h"
#include "cirro/cloudevents/json_format.h"
#include "cirro/cloudevents/result.h"

namespace cirro {

/// One header field. The name in any letter case, the value without its line
/// end; blanks around it are ignored.
struct HttpHeader {
  std::string_view name;
  std::string_view value;
};

/// A message's content: one event, the members of a batch in order, or why
/// there is neither.
///
/// kUnsupported: no event at all, or an event format that is not spoken here;
/// the mode tells which (kNone for the first). kInvalidEvent, kTooLarge: an
/// event was meant.
struct HttpContent {
  ContentMode mode = ContentMode::kNone;
  Leniency forgiven = Leniency::kNone;
  std::variant<Error, Event, std::vector<Result<Event>>> value =
      Error{ErrorCode::kInternal, {}};
};

/// Reads events from the header fields and the body of requests and responses,
/// which have one mapping. Made to be kept: a warm decoder allocates nothing
/// for a binary event but the event. One thread at a time.
class CIRRO_EXPORT HttpDecoder {
 public:
  /// REQUIRES: options outlives *this.
  explicit HttpDecoder(const DecodeOptions& options);

  [[nodiscard]] HttpContent Decode(std::span<const HttpHeader> headers,
                                   std::string_view body);

 private:
  const DecodeOptions& options_;
  EventAssembler assembler_;
};

/// Appends the header lines of `event` in binary mode to `out`: `ce-id: 1`,
/// `content-type: ...` and so on, each ended by CR LF, values percent-encoded.
/// The body that belongs to them is `event.data()`.
/// REQUIRES: FitsBinaryMode(event).
CIRRO_EXPORT void AppendBinaryHeaders(const Event& event, std::string& out);

/// Appends the header lines that `mode` needs to `header_lines` and returns the
/// body: a view of the event's data in binary mode, else of `buffer`, which is
/// overwritten. Valid while both live unchanged. An event that does not fit
/// binary mode becomes a structured one.
/// REQUIRES: mode is kBinary, kStructured, or kBatch (a batch of one).
[[nodiscard]] CIRRO_EXPORT std::string_view EncodeHttp(
    ContentMode mode, const Event& event, std::string& header_lines,
    std::string& buffer);

/// The line that a batch body (EncodeJsonBatch) needs.
inline constexpr std::string_view kBatchHeaderLine =
    "content-type: application/cloudevents-batch+json\r\n";
/// The line that a structured body (EncodeJson) needs.
inline constexpr std::string_view kStructuredHeaderLine =
    "content-type: application/cloudevents+json\r\n";

}  // namespace cirro
