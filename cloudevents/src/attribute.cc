#include "cirro/cloudevents/attribute.h"

#include <limits>

#include "base64.h"
#include "cirro/cloudevents/media_type.h"
#include "cirro/cloudevents/uri.h"
#include "cirro/cloudevents/utf8.h"
#include "text.h"

namespace cirro {
namespace {

// "Integer component of the JSON Number per RFC 7159, Section 6 optionally
// prefixed with a minus sign": no leading zeros, 32 bits.
std::optional<std::int32_t> ReadInteger(std::string_view text) noexcept {
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty() || text.size() > 10) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  if (negative) value = -value;
  if (value < std::numeric_limits<std::int32_t>::min() ||
      value > std::numeric_limits<std::int32_t>::max()) {
    return std::nullopt;
  }
  return static_cast<std::int32_t>(value);
}

}  // namespace

std::string_view ToString(AttributeType type) noexcept {
  switch (type) {
    case AttributeType::kBoolean:
      return "Boolean";
    case AttributeType::kInteger:
      return "Integer";
    case AttributeType::kString:
      return "String";
    case AttributeType::kBinary:
      return "Binary";
    case AttributeType::kUri:
      return "URI";
    case AttributeType::kUriReference:
      return "URI-reference";
    case AttributeType::kTimestamp:
      return "Timestamp";
  }
  return "String";
}

std::optional<bool> Attribute::AsBoolean() const noexcept {
  if (text == "true") return true;
  if (text == "false") return false;
  if (type == AttributeType::kString) {
    if (EqualsIgnoreCase(text, "true")) return true;
    if (EqualsIgnoreCase(text, "false")) return false;
  }
  return std::nullopt;
}

std::optional<std::int32_t> Attribute::AsInteger() const noexcept {
  return ReadInteger(text);
}

std::optional<std::string> Attribute::AsBinary() const {
  if (!internal::IsBase64(text)) return std::nullopt;
  std::string bytes(internal::Base64DecodedSize(text), '\0');
  internal::DecodeBase64(text, bytes.data());
  return bytes;
}

std::optional<Timestamp> Attribute::AsTimestamp() const noexcept {
  return internal::ReadTimestamp(text);
}

bool IsCanonical(AttributeType type, std::string_view text) noexcept {
  switch (type) {
    case AttributeType::kBoolean:
      return text == "true" || text == "false";
    case AttributeType::kInteger:
      return ReadInteger(text).has_value();
    case AttributeType::kString:
      return IsAttributeString(text);
    case AttributeType::kBinary:
      return internal::IsBase64(text);
    case AttributeType::kUri:
      return IsUri(text);
    case AttributeType::kUriReference:
      return IsUriReference(text);
    case AttributeType::kTimestamp:
      return IsTimestamp(text);
  }
  return false;
}

bool IsAttributeName(std::string_view name) noexcept {
  for (const char c : name) {
    if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9')) return false;
  }
  return !name.empty() && name != "data";
}

}  // namespace cirro
