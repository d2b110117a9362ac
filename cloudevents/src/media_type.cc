#include "cirro/cloudevents/media_type.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace cirro {
namespace {

// By far the most common one, known at a glance.
constexpr std::string_view kUsual = "application/json";

// token of RFC 9110 section 5.6.2: what RFC 2045 allows, less "{" and "}".
constexpr std::array<bool, 256> MakeTokenCharacters() {
  std::array<bool, 256> token{};
  for (char c = 0x21; c < 0x7F; ++c) {
    token[static_cast<unsigned char>(c)] =
        std::string_view("\"(),/:;<=>?@[\\]{}").find(c) ==
        std::string_view::npos;
  }
  return token;
}

constexpr auto kToken = MakeTokenCharacters();

std::size_t TokenSize(std::string_view text) noexcept {
  std::size_t size = 0;
  while (size < text.size() && kToken[static_cast<unsigned char>(text[size])]) {
    ++size;
  }
  return size;
}

constexpr bool IsPrintable(char c) noexcept { return c >= 0x20 && c < 0x7F; }

// The length of a quoted string at the front with its quotes, or 0. Of
// printable ASCII alone: the value is an attribute, which has no control
// characters, and it becomes a header line as it is.
std::size_t QuotedSize(std::string_view text) noexcept {
  if (text.empty() || text.front() != '"') return 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') return i + 1;
    if (text[i] == '\\') ++i;
    if (i == text.size() || !IsPrintable(text[i])) return 0;
  }
  return 0;
}

void SkipBlanks(std::string_view& text) noexcept {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
}

struct Parameter {
  std::string_view name;
  std::string_view value;
};

enum class Next : std::uint8_t { kParameter, kEnd, kMalformed };

// Takes `; name=value` from the front, and the empty ones before it: in
// "parameters = *( OWS ";" OWS [ parameter ] )" each may be. RFC 9110 section
// 5.6.6
Next TakeParameter(std::string_view& text, Parameter& out) noexcept {
  do {
    if (text.empty()) return Next::kEnd;
    SkipBlanks(text);
    if (!text.starts_with(';')) return Next::kMalformed;
    text.remove_prefix(1);
    if (text.empty()) return Next::kEnd;
    SkipBlanks(text);
  } while (text.starts_with(';'));
  const std::size_t name = TokenSize(text);
  if (name == 0 || name == text.size() || text[name] != '=') {
    return Next::kMalformed;
  }
  out.name = text.substr(0, name);
  text.remove_prefix(name + 1);
  std::size_t value = TokenSize(text);
  if (value == 0) value = QuotedSize(text);
  if (value == 0) return Next::kMalformed;
  out.value = text.substr(0, value);
  text.remove_prefix(value);
  return Next::kParameter;
}

// The length of `type "/" subtype`, or 0.
std::size_t EssenceSize(std::string_view text) noexcept {
  const std::size_t type = TokenSize(text);
  if (type == 0 || type == text.size() || text[type] != '/') return 0;
  const std::size_t subtype = TokenSize(text.substr(type + 1));
  return subtype == 0 ? 0 : type + 1 + subtype;
}

constexpr char ToLower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool EndsWithIgnoreCase(std::string_view text, std::string_view end) noexcept {
  return text.size() >= end.size() &&
         EqualsIgnoreCase(text.substr(text.size() - end.size()), end);
}

}  // namespace

bool EqualsIgnoreCase(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (ToLower(a[i]) != ToLower(b[i])) return false;
  }
  return true;
}

bool IsMediaType(std::string_view text) noexcept {
  if (text == kUsual) return true;
  const std::size_t essence = EssenceSize(text);
  if (essence == 0) return false;
  text.remove_prefix(essence);
  Parameter ignored;
  while (true) {
    switch (TakeParameter(text, ignored)) {
      case Next::kParameter:
        break;
      case Next::kEnd:
        return true;
      case Next::kMalformed:
        return false;
    }
  }
}

std::string_view MediaTypeEssence(std::string_view media_type) noexcept {
  SkipBlanks(media_type);
  return media_type.substr(0, EssenceSize(media_type));
}

std::string_view MediaTypeParameter(std::string_view media_type,
                                    std::string_view name) noexcept {
  SkipBlanks(media_type);
  media_type.remove_prefix(EssenceSize(media_type));
  Parameter parameter;
  while (TakeParameter(media_type, parameter) == Next::kParameter) {
    if (EqualsIgnoreCase(parameter.name, name)) return parameter.value;
  }
  return {};
}

bool IsJsonMediaType(std::string_view datacontenttype) noexcept {
  if (datacontenttype == kUsual) return true;
  const std::string_view essence = MediaTypeEssence(datacontenttype);
  return EndsWithIgnoreCase(essence, "/json") ||
         EndsWithIgnoreCase(essence, "+json");
}

bool IsTextMediaType(std::string_view datacontenttype) noexcept {
  const std::string_view essence = MediaTypeEssence(datacontenttype);
  if (IsJsonMediaType(essence)) return false;
  if (!EqualsIgnoreCase(essence.substr(0, 5), "text/") &&
      !EndsWithIgnoreCase(essence, "/xml") &&
      !EndsWithIgnoreCase(essence, "+xml")) {
    return false;
  }
  std::string_view charset = MediaTypeParameter(datacontenttype, "charset");
  if (charset.size() > 1 && charset.front() == '"') {
    charset = charset.substr(1, charset.size() - 2);
  }
  return charset.empty() || EqualsIgnoreCase(charset, "utf-8") ||
         EqualsIgnoreCase(charset, "us-ascii");
}

}  // namespace cirro
