#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base64.h"
#include "cirro/cloudevents/json_format.h"

namespace cirro {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

// What must be escaped in a JSON string, and nothing more: 'u' for \u00xx, the
// letter for those that have one, 0 for the rest.
constexpr std::array<char, 128> MakeEscapes() {
  std::array<char, 128> escapes{};
  for (std::size_t i = 0; i < 0x20; ++i) escapes[i] = 'u';
  escapes['"'] = '"';
  escapes['\\'] = '\\';
  escapes['\b'] = 'b';
  escapes['\f'] = 'f';
  escapes['\n'] = 'n';
  escapes['\r'] = 'r';
  escapes['\t'] = 't';
  return escapes;
}

constexpr auto kEscapes = MakeEscapes();

char EscapeOf(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte < kEscapes.size() ? kEscapes[byte] : '\0';
}

// REQUIRES: `text` is UTF-8.
void AppendString(std::string_view text, std::string& out) {
  out += '"';
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char escape = EscapeOf(text[i]);
    if (escape == '\0') continue;
    out.append(text, begin, i - begin);
    begin = i + 1;
    out += '\\';
    out += escape;
    if (escape != 'u') continue;
    const auto byte = static_cast<unsigned char>(text[i]);
    out += "00";
    out += kHex[byte >> 4U];
    out += kHex[byte & 0x0FU];
  }
  out.append(text, begin);
  out += '"';
}

std::string_view TrimJson(std::string_view json) noexcept {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = json.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return json.substr(begin, json.find_last_not_of(kSpace) + 1 - begin);
}

void AppendMember(const Attribute& attribute, std::string& out) {
  // A name is letters and digits: nothing in it needs an escape.
  out += '"';
  out += attribute.name;
  out += "\":";
  switch (attribute.type) {
    case AttributeType::kBoolean:
    case AttributeType::kInteger:
      out += attribute.text;
      break;
    case AttributeType::kString:
    case AttributeType::kBinary:
    case AttributeType::kUri:
    case AttributeType::kUriReference:
    case AttributeType::kTimestamp:
      AppendString(attribute.text, out);
      break;
  }
}

void AppendBytes(std::string_view bytes, std::string& out) {
  out += R"(,"data_base64":")";
  internal::AppendBase64(bytes, out);
  out += '"';
}

void AppendData(const Event& event, std::string& out) {
  switch (event.data_kind()) {
    case DataKind::kNone:
      return;
    case DataKind::kJson:
      // "The data value MUST be stored directly as a JSON value, rather than
      // as an encoded JSON document represented as a string."
      out += ",\"data\":";
      out += TrimJson(event.data());
      return;
    case DataKind::kText:
      // Without a datacontenttype a string would be read as JSON.
      if (event.datacontenttype().empty()) {
        return AppendBytes(event.data(), out);
      }
      out += ",\"data\":";
      return AppendString(event.data(), out);
    case DataKind::kBinary:
      return AppendBytes(event.data(), out);
  }
}

}  // namespace

void EncodeJson(const Event& event, std::string& out) {
  out.reserve(out.size() + event.memory_size() + event.data().size() / 2);
  char before = '{';
  for (std::size_t i = 0; i < event.attribute_count(); ++i) {
    out += before;
    before = ',';
    AppendMember(event.attribute_at(i), out);
  }
  AppendData(event, out);
  out += '}';
}

std::string EncodeJson(const Event& event) {
  std::string out;
  EncodeJson(event, out);
  return out;
}

std::string EncodeJsonBatch(std::span<const Event> events) {
  std::string out = "[";
  for (const Event& event : events) {
    if (out.size() > 1) out += ',';
    EncodeJson(event, out);
  }
  out += ']';
  return out;
}

}  // namespace cirro
