#include "cirro/cloudevents/content_mode.h"

#include <algorithm>

#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/media_type.h"

namespace cirro {
namespace {

// What most binary events carry, known at a glance.
constexpr std::string_view kUsualData = "application/json";
constexpr std::string_view kUsualFormat = "application/cloudevents+json";

bool StartsWithIgnoreCase(std::string_view text,
                          std::string_view prefix) noexcept {
  return text.size() >= prefix.size() &&
         EqualsIgnoreCase(text.substr(0, prefix.size()), prefix);
}

// Whether the bytes of text are what its media type says they are. They are
// UTF-8, for the JSON format has strings, which may be called something else
// because they have no bytes. JSON is UTF-8 whatever its charset (RFC 8259).
bool IsInItsCharset(const Event& event) noexcept {
  std::string_view charset =
      MediaTypeParameter(event.datacontenttype(), "charset");
  if (charset.size() > 1 && charset.front() == '"') {
    charset = charset.substr(1, charset.size() - 2);
  }
  if (charset.empty() || EqualsIgnoreCase(charset, "utf-8") ||
      event.data_kind() != DataKind::kText) {
    return true;
  }
  const std::string_view data = event.data();
  return (EqualsIgnoreCase(charset, "us-ascii") ||
          StartsWithIgnoreCase(charset, "iso-8859-")) &&
         std::all_of(data.begin(), data.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x80;
         });
}

}  // namespace

ContentMode ContentModeOf(std::string_view content_type) noexcept {
  if (content_type == kUsualData) return ContentMode::kBinary;
  if (content_type == kUsualFormat) return ContentMode::kStructured;
  if (StartsWithIgnoreCase(content_type, "application/cloudevents-batch")) {
    return ContentMode::kBatch;
  }
  if (StartsWithIgnoreCase(content_type, "application/cloudevents")) {
    return ContentMode::kStructured;
  }
  return ContentMode::kBinary;
}

bool FitsBinaryMode(const Event& event) noexcept {
  const std::string_view type = event.datacontenttype();
  return type == kUsualData ||
         (ContentModeOf(type) == ContentMode::kBinary && IsInItsCharset(event));
}

}  // namespace cirro
