#include "text.h"

#include "cirro/cloudevents/utf8.h"
#include "swar.h"

namespace cirro {
namespace internal {
namespace {

constexpr bool IsContinuation(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

}  // namespace

std::uint32_t NextCodePoint(const char*& at, const char* end) noexcept {
  const auto lead = static_cast<unsigned char>(*at);
  if (lead < 0x80) {
    ++at;
    return lead;
  }
  const auto left = end - at;
  const auto low = [at](int i) {
    return static_cast<unsigned char>(at[i]) & 0x3FU;
  };
  if (lead < 0xC2) return kBadUtf8;
  if (lead < 0xE0) {
    if (left < 2 || !IsContinuation(at[1])) return kBadUtf8;
    const std::uint32_t value = ((lead & 0x1FU) << 6U) | low(1);
    at += 2;
    return value;
  }
  if (lead < 0xF0) {
    if (left < 3 || !IsContinuation(at[1]) || !IsContinuation(at[2])) {
      return kBadUtf8;
    }
    const std::uint32_t value =
        ((lead & 0x0FU) << 12U) | (low(1) << 6U) | low(2);
    if (value < 0x800 || (value >= 0xD800 && value <= 0xDFFF)) return kBadUtf8;
    at += 3;
    return value;
  }
  if (lead > 0xF4 || left < 4 || !IsContinuation(at[1]) ||
      !IsContinuation(at[2]) || !IsContinuation(at[3])) {
    return kBadUtf8;
  }
  const std::uint32_t value =
      ((lead & 0x07U) << 18U) | (low(1) << 12U) | (low(2) << 6U) | low(3);
  if (value < 0x10000 || value > 0x10FFFF) return kBadUtf8;
  at += 4;
  return value;
}

char* PutCodePoint(char* out, std::uint32_t code_point) noexcept {
  const auto put = [&out](std::uint32_t byte) {
    *out++ = static_cast<char>(static_cast<unsigned char>(byte));
  };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0U | (code_point >> 6U));
    put(0x80U | (code_point & 0x3FU));
  } else if (code_point < 0x10000) {
    put(0xE0U | (code_point >> 12U));
    put(0x80U | ((code_point >> 6U) & 0x3FU));
    put(0x80U | (code_point & 0x3FU));
  } else {
    put(0xF0U | (code_point >> 18U));
    put(0x80U | ((code_point >> 12U) & 0x3FU));
    put(0x80U | ((code_point >> 6U) & 0x3FU));
    put(0x80U | (code_point & 0x3FU));
  }
  return out;
}

std::string Excerpt(std::string_view value) {
  constexpr std::size_t kMost = 40;
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string text = "\"";
  for (const char c : value.substr(0, kMost)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\') {
      text += c;
    } else {
      text += "\\x";
      text += kHex[byte >> 4U];
      text += kHex[byte & 0x0FU];
    }
  }
  text += value.size() > kMost ? "...\"" : "\"";
  return text;
}

}  // namespace internal

bool IsUtf8(std::string_view text) noexcept {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    if (end - at >= 8 && internal::HighBytes(internal::LoadWord(at)) == 0) {
      at += 8;
    } else if (internal::NextCodePoint(at, end) == internal::kBadUtf8) {
      return false;
    }
  }
  return true;
}

// "The following characters are disallowed: the 'control characters' in the
// ranges U+0000-U+001F and U+007F-U+009F [...]; code points identified as
// noncharacters by Unicode; code points identifying Surrogates [...] unless
// used properly in pairs." CloudEvents v1.0.2, "Type System".
bool IsAttributeString(std::string_view text) noexcept {
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto plain = [](const char* from) {
    const std::uint64_t word = internal::LoadWord(from);
    return (internal::ControlOrHighBytes(word) |
            internal::BytesEqual(word, 0x7F)) == 0;
  };
  while (at != end) {
    if (end - at >= 8 && plain(at)) {
      at += 8;
      continue;
    }
    // The last word again, from its end: nothing is left to be walked.
    if (text.size() >= 8 && end - at < 8 && plain(end - 8)) return true;
    if (static_cast<unsigned char>(*at) - 0x20U < 0x5FU) {
      ++at;
      continue;
    }
    const std::uint32_t c = internal::NextCodePoint(at, end);
    const bool control = c < 0x20 || (c >= 0x7F && c <= 0x9F);
    const bool noncharacter =
        (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFEU) == 0xFFFE;
    // kBadUtf8 ends in FFFF and so counts as a noncharacter.
    if (control || noncharacter) return false;
  }
  return true;
}

}  // namespace cirro
