#include "cirro/cloudevents/header_text.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>

#include "cirro/cloudevents/utf8.h"

namespace cirro {
namespace {

constexpr std::uint64_t kEachByte = 0x0101010101010101;
constexpr std::uint64_t kHighBits = 0x8080808080808080;

// The high bit of each byte of `word` that is zero (and of some after it).
constexpr std::uint64_t ZeroBytes(std::uint64_t word) {
  return (word - kEachByte) & ~word & kHighBits;
}

// Bytes outside of ASCII or below `(`, as all that the others look for are: one
// subtraction finds that most values have nothing to do at all.
constexpr std::uint64_t Unusual(std::uint64_t word) {
  return ((word - kEachByte * '(') | word) & kHighBits;
}

// What a receiver has to look at: `%`, `"`, and bytes outside of ASCII.
constexpr std::uint64_t Decodes(std::uint64_t word) {
  return (word & kHighBits) | ZeroBytes(word ^ (kEachByte * '%')) |
         ZeroBytes(word ^ (kEachByte * '"'));
}

// What a sender has to escape: that, DEL, and what is below `!`.
constexpr std::uint64_t Encodes(std::uint64_t word) {
  return Decodes(word) | ZeroBytes(word ^ (kEachByte * 0x7F)) |
         ((word - kEachByte * '!') & ~word & kHighBits);
}

// Whether `matches` finds nothing in any eight bytes of `text`. The last word
// overlaps the one before it; a short text is filled up with `a`.
template <typename Matches>
bool NoneMatch(std::string_view text, Matches matches) noexcept {
  std::uint64_t word = kEachByte * 'a';
  constexpr std::size_t kWord = sizeof word;
  if (text.size() < kWord) {
    for (const char c : text) {
      word = (word << 8) | static_cast<unsigned char>(c);
    }
    return matches(word) == 0;
  }
  const char* const last = text.data() + text.size() - kWord;
  for (const char* at = text.data(); at < last; at += kWord) {
    std::memcpy(&word, at, kWord);
    if (matches(word) != 0) return false;
  }
  std::memcpy(&word, last, kWord);
  return matches(word) == 0;
}

std::string_view FromLatin1(std::string_view text, EventAssembler& scratch) {
  char* const begin = scratch.Scratch(text.size() * 2);
  char* end = begin;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      *end++ = c;
    } else {
      *end++ = static_cast<char>(0xC0 | (byte >> 6));
      *end++ = static_cast<char>(0x80 | (byte & 0x3F));
    }
  }
  return {begin, static_cast<std::size_t>(end - begin)};
}

// Writes `text` without its quotes to `out`; nothing if one stays open. Outside
// of quotes a backslash is a character like any other.
std::optional<std::string_view> Unquoted(std::string_view text,
                                         char* out) noexcept {
  char* end = out;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      quoted = !quoted;
    } else if (quoted && text[i] == '\\') {
      if (++i == text.size()) return std::nullopt;
      *end++ = text[i];
    } else {
      *end++ = text[i];
    }
  }
  if (quoted) return std::nullopt;
  return std::string_view(out, static_cast<std::size_t>(end - out));
}

int HexDigit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  if (lower >= 'a' && lower <= 'f') return lower - 'a' + 10;
  return -1;
}

// Writes `text` without its escapes to `out`, which may be where `text` lies;
// nothing if one is malformed.
std::optional<std::string_view> Unescaped(std::string_view text,
                                          char* out) noexcept {
  char* end = out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      *end++ = text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = HexDigit(text[i + 1]);
    const int low = HexDigit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    *end++ = static_cast<char>((high << 4) | low);
    i += 2;
  }
  return std::string_view(out, static_cast<std::size_t>(end - out));
}

constexpr bool IsEscaped(unsigned char c) {
  return c <= 0x20 || c >= 0x7F || c == '"' || c == '%';
}

constexpr char kHex[] = "0123456789ABCDEF";

}  // namespace

bool IsPlainHeaderText(std::string_view value) noexcept {
  return NoneMatch(value, Unusual) || NoneMatch(value, Decodes);
}

HeaderText ReadHeaderText(std::string_view value, AttributeType type,
                          bool strict, EventAssembler& scratch) {
  if (IsPlainHeaderText(value)) return {value};

  HeaderText result{value};
  if (!IsUtf8(value)) {
    if (strict) return {value, {}, 38, "is not UTF-8"};
    result.text = FromLatin1(value, scratch);
    result.forgiven = Leniency::kLatin1;
  }
  const std::string_view as_it_came = result.text;

  // First the quoted-strings, then one round of escapes: HTTP Protocol Binding,
  // 3.1.3.2.
  char* const buffer = scratch.Scratch(as_it_came.size());
  std::optional<std::string_view> text = as_it_came;
  if (as_it_came.find('"') != std::string_view::npos) {
    text = Unquoted(as_it_came, buffer);
    if (!text && strict) return {value, {}, 38, "has an open quoted-string"};
  }
  if (text && text->find('%') != std::string_view::npos) {
    text = Unescaped(*text, buffer);
    if (!text && strict) return {value, {}, 39, "has a malformed escape"};
  }
  if (!text) {
    result.forgiven |= Leniency::kLiteralValue;
    return result;
  }

  const bool is_uri =
      type == AttributeType::kUri || type == AttributeType::kUriReference;
  if (is_uri && !strict && !IsCanonical(type, *text) &&
      IsCanonical(type, as_it_came)) {
    result.forgiven |= Leniency::kLiteralUri;
    return result;
  }
  if (!IsUtf8(*text)) return {value, {}, 38, "decodes to what is not UTF-8"};
  result.text = *text;
  return result;
}

void AppendHeaderText(std::string_view text, std::string& out) {
  if (NoneMatch(text, Encodes)) {
    out += text;
    return;
  }
  std::size_t done = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (!IsEscaped(c)) continue;
    out.append(text, done, i - done);
    done = i + 1;
    const char escape[] = {'%', kHex[c >> 4], kHex[c & 0xF]};
    out.append(escape, sizeof escape);
  }
  out.append(text, done);
}

std::string ShownHeader(std::string_view value) {
  constexpr std::size_t kLongest = 64;
  std::string out;
  for (const char c : value.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      out += c;
    } else {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 0xF];
    }
  }
  if (value.size() > kLongest) out += "...";
  return out;
}

}  // namespace cirro
