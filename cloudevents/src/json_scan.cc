#include "json_scan.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "swar.h"
#include "text.h"

namespace cirro::internal {
namespace {

// Inside a string: 1 for what needs a look (quote, backslash, control, not
// ASCII), 0 for what is itself.
constexpr std::array<std::uint8_t, 256> MakeSpecial() {
  std::array<std::uint8_t, 256> special{};
  for (std::size_t i = 0; i < special.size(); ++i) {
    special[i] = i < 0x20 || i >= 0x80 || i == '"' || i == '\\' ? 1 : 0;
  }
  return special;
}

constexpr auto kSpecial = MakeSpecial();

// The first of those, or `end`.
const char* FindSpecial(const char* at, const char* end) noexcept {
#ifdef __SSE2__
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    // What is not ASCII is negative, and so less than a space too.
    const __m128i special =
        _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)),
                     _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                  _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
    const auto marks = static_cast<unsigned>(_mm_movemask_epi8(special));
    if (marks != 0) return at + std::countr_zero(marks);
  }
#endif
  for (; end - at >= 8; at += 8) {
    const std::uint64_t word = LoadWord(at);
    const std::uint64_t marks = BytesEqual(word, '"') | BytesEqual(word, '\\') |
                                ControlOrHighBytes(word);
    if (marks != 0) {
      at += FirstMark(marks);
      break;
    }
  }
  while (at != end && kSpecial[static_cast<unsigned char>(*at)] == 0) ++at;
  return at;
}

constexpr bool IsDigit(char c) noexcept { return c >= '0' && c <= '9'; }

// The value of four hexadecimal digits, or something above 0xFFFF.
std::uint32_t HexQuad(const char* at) noexcept {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = at[i];
    std::uint32_t digit = 0x10000;
    if (IsDigit(c)) digit = static_cast<std::uint32_t>(c - '0');
    if (c >= 'a' && c <= 'f') digit = static_cast<std::uint32_t>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') digit = static_cast<std::uint32_t>(c - 'A' + 10);
    if (digit > 15) return 0x10000;
    value = value << 4U | digit;
  }
  return value;
}

constexpr bool IsHighSurrogate(std::uint32_t c) noexcept {
  return c >= 0xD800 && c <= 0xDBFF;
}
constexpr bool IsLowSurrogate(std::uint32_t c) noexcept {
  return c >= 0xDC00 && c <= 0xDFFF;
}

}  // namespace

// REQUIRES: *at_ is a backslash.
bool JsonScan::SkipEscape() noexcept {
  if (end_ - at_ < 2) return Fail("the text ends in an escape");
  switch (at_[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
      at_ += 2;
      return true;
    case 'u':
      break;
    default:
      return Fail("there is no such escape");
  }
  if (end_ - at_ < 6) return Fail("the text ends in an escape");
  const std::uint32_t first = HexQuad(at_ + 2);
  if (first > 0xFFFF) return Fail("\\u takes four hexadecimal digits");
  if (IsLowSurrogate(first)) return Fail("a surrogate stands alone");
  if (!IsHighSurrogate(first)) {
    at_ += 6;
    return true;
  }
  if (end_ - at_ < 12 || at_[6] != '\\' || at_[7] != 'u' ||
      !IsLowSurrogate(HexQuad(at_ + 8))) {
    return Fail("a surrogate stands alone");
  }
  at_ += 12;
  return true;
}

bool JsonScan::SkipString(std::string_view& inside, bool& escaped) noexcept {
  const char* const begin = at_ + 1;
  const char* at = begin;  // In a register: at_ would be stored at each step.
  escaped = false;
  while (true) {
    at = FindSpecial(at, end_);
    at_ = at;
    if (at == end_) return Fail("a string has no end");
    if (*at == '"') {
      inside = {begin, static_cast<std::size_t>(at - begin)};
      ++at_;
      return true;
    }
    if (*at == '\\') {
      escaped = true;
      if (!SkipEscape()) return false;
    } else if (static_cast<unsigned char>(*at) < 0x20) {
      return Fail("a string holds a control character");
    } else if (NextCodePoint(at_, end_) == kBadUtf8) {
      return Fail("a string is not UTF-8");
    }
    at = at_;
  }
}

// number = [ "-" ] ( "0" / digit1-9 *DIGIT ) [ "." 1*DIGIT ]
//          [ ( "e" / "E" ) [ "-" / "+" ] 1*DIGIT ]
bool JsonScan::SkipNumber() noexcept {
  const auto digits = [this] {
    const char* const begin = at_;
    while (at_ != end_ && IsDigit(*at_)) ++at_;
    return at_ != begin;
  };
  Take('-');
  if (!Take('0') && !digits()) return Fail("a value is expected");
  if (Take('.') && !digits()) return Fail("a digit is expected");
  if (peek() == 'e' || peek() == 'E') {
    ++at_;
    if (peek() == '-' || peek() == '+') ++at_;
    if (!digits()) return Fail("a digit is expected");
  }
  return true;
}

bool JsonScan::SkipWord(std::string_view word) noexcept {
  if (static_cast<std::size_t>(end_ - at_) < word.size() ||
      std::memcmp(at_, word.data(), word.size()) != 0) {
    return Fail("a value is expected");
  }
  at_ += word.size();
  return true;
}

bool JsonScan::SkipScalar() noexcept {
  switch (peek()) {
    case '"': {
      std::string_view inside;
      bool escaped = false;
      return SkipString(inside, escaped);
    }
    case 't':
      return SkipWord("true");
    case 'f':
      return SkipWord("false");
    case 'n':
      return SkipWord("null");
    default:
      return SkipNumber();
  }
}

// string ":" and the space around them.
bool JsonScan::SkipMemberName() noexcept {
  SkipSpace();
  if (peek() != '"') return Fail("a member's name is expected");
  std::string_view inside;
  bool escaped = false;
  if (!SkipString(inside, escaped)) return false;
  SkipSpace();
  if (!Take(':')) return Fail("a colon is expected");
  SkipSpace();
  return true;
}

bool JsonScan::SkipValue() noexcept {
  // What we are inside of, one bit each: 1 for an object.
  std::array<std::uint64_t, kMostJsonDepth / 64> inside;
  std::size_t depth = 0;
  while (true) {
    const char c = peek();
    if (c == '{' || c == '[') {
      if (depth == max_depth_) {
        return Fail("it is nested deeper than max_json_depth allows");
      }
      ++at_;
      SkipSpace();
      if (!Take(c == '{' ? '}' : ']')) {
        const std::uint64_t bit = std::uint64_t{1} << (depth % 64);
        std::uint64_t& word = inside[depth / 64];
        word = c == '{' ? word | bit : word & ~bit;
        ++depth;
        if (c == '{' && !SkipMemberName()) return false;
        continue;
      }
    } else if (!SkipScalar()) {
      return false;
    }
    // A value ends here, and with it perhaps some of those it is in.
    while (true) {
      if (depth == 0) return true;
      const std::size_t top = depth - 1;
      const bool object = (inside[top / 64] >> (top % 64) & 1U) != 0;
      SkipSpace();
      if (Take(',')) {
        if (object) {
          if (!SkipMemberName()) return false;
        } else {
          SkipSpace();
        }
        break;
      }
      if (!Take(object ? '}' : ']')) return Fail("a comma or end is expected");
      --depth;
    }
  }
}

std::size_t UnescapeJson(std::string_view inside, char* out) noexcept {
  char* const begin = out;
  const char* at = inside.data();
  const char* const end = at + inside.size();
  while (at != end) {
    const void* const found =
        std::memchr(at, '\\', static_cast<std::size_t>(end - at));
    const char* const stop =
        found == nullptr ? end : static_cast<const char*>(found);
    std::memcpy(out, at, static_cast<std::size_t>(stop - at));
    out += stop - at;
    at = stop;
    if (at == end) break;
    const char c = at[1];
    at += 2;
    switch (c) {
      case 'b':
        *out++ = '\b';
        break;
      case 'f':
        *out++ = '\f';
        break;
      case 'n':
        *out++ = '\n';
        break;
      case 'r':
        *out++ = '\r';
        break;
      case 't':
        *out++ = '\t';
        break;
      case 'u': {
        std::uint32_t code_point = HexQuad(at);
        at += 4;
        if (IsHighSurrogate(code_point)) {
          code_point = 0x10000 + ((code_point - 0xD800) << 10U) +
                       (HexQuad(at + 2) - 0xDC00);
          at += 6;
        }
        out = PutCodePoint(out, code_point);
        break;
      }
      default:
        *out++ = c;
    }
  }
  return static_cast<std::size_t>(out - begin);
}

}  // namespace cirro::internal
