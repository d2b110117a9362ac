#include "cirro/cloudevents/uri.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace cirro {
namespace {

// What each ASCII character may be in RFC 3986, one bit for each rule.
constexpr std::uint16_t kScheme = 1;    // ALPHA / DIGIT / "+" / "-" / "."
constexpr std::uint16_t kUserInfo = 2;  // unreserved / sub-delims / ":"
constexpr std::uint16_t kRegName = 4;   // unreserved / sub-delims
constexpr std::uint16_t kPath = 8;      // pchar / "/"
constexpr std::uint16_t kQuery = 16;    // pchar / "/" / "?"
constexpr std::uint16_t kAlpha = 32;
constexpr std::uint16_t kDigit = 64;
constexpr std::uint16_t kHex = 128;
constexpr std::uint16_t kPlainPath = 256;  // kPath without ":"

constexpr std::array<std::uint16_t, 256> MakeClasses() {
  std::array<std::uint16_t, 256> classes{};
  const auto add = [&classes](std::string_view characters, unsigned bits) {
    for (const char c : characters) {
      auto& entry = classes[static_cast<unsigned char>(c)];
      entry = static_cast<std::uint16_t>(entry | bits);
    }
  };
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  constexpr unsigned kAnywhere =
      kUserInfo | kRegName | kPath | kQuery | kPlainPath;
  add(kLetters, kAnywhere | kScheme | kAlpha);
  add("0123456789", kAnywhere | kScheme | kDigit | kHex);
  add("abcdefABCDEF", kHex);
  add("-.", kAnywhere | kScheme);
  add("_~", kAnywhere);
  add("!$&'()*,;=", kAnywhere);
  add("+", kAnywhere | kScheme);
  add(":", kUserInfo | kPath | kQuery);
  add("@/", kPath | kQuery | kPlainPath);
  add("?", kQuery);
  return classes;
}

constexpr auto kClasses = MakeClasses();

constexpr bool Is(char c, std::uint16_t bits) noexcept {
  return (kClasses[static_cast<unsigned char>(c)] & bits) != 0;
}

// Only characters of the class, and "%" HEXDIG HEXDIG.
bool All(std::string_view text, std::uint16_t bits) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (Is(text[i], bits)) continue;
    if (text[i] != '%' || text.size() - i < 3 || !Is(text[i + 1], kHex) ||
        !Is(text[i + 2], kHex)) {
      return false;
    }
    i += 2;
  }
  return true;
}

bool AllOf(std::string_view text, std::uint16_t bits) noexcept {
  for (const char c : text) {
    if (!Is(c, bits)) return false;
  }
  return true;
}

// dec-octet "." dec-octet "." dec-octet "." dec-octet
bool IsIpv4(std::string_view text) noexcept {
  for (int octet = 0; octet < 4; ++octet) {
    if (octet != 0) {
      if (text.empty() || text.front() != '.') return false;
      text.remove_prefix(1);
    }
    std::size_t digits = 0;
    int value = 0;
    while (digits < text.size() && digits < 3 && Is(text[digits], kDigit)) {
      value = value * 10 + (text[digits++] - '0');
    }
    const bool leading_zero = digits > 1 && text.front() == '0';
    if (digits == 0 || leading_zero || value > 255) return false;
    text.remove_prefix(digits);
  }
  return text.empty();
}

// Eight groups of 16 bits, the last two also as IPv4, "::" once for at least
// one group of zeros.
bool IsIpv6(std::string_view text) noexcept {
  int groups = 0;
  bool elided = false;
  if (text.substr(0, 2) == "::") {
    elided = true;
    text.remove_prefix(2);
    if (text.empty()) return true;
  }
  while (true) {
    std::size_t digits = 0;
    while (digits < text.size() && Is(text[digits], kHex)) ++digits;
    if (digits < text.size() && text[digits] == '.') {
      groups += 2;
      return IsIpv4(text) && (elided ? groups <= 7 : groups == 8);
    }
    if (digits == 0 || digits > 4) return false;
    ++groups;
    text.remove_prefix(digits);
    if (text.empty()) break;
    if (text.front() != ':') return false;
    text.remove_prefix(1);
    if (!text.empty() && text.front() == ':') {
      if (elided) return false;
      elided = true;
      text.remove_prefix(1);
      if (text.empty()) break;
    } else if (text.empty()) {
      return false;
    }
  }
  return elided ? groups <= 7 : groups == 8;
}

// IPvFuture = "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )
bool IsIpFuture(std::string_view text) noexcept {
  if (text.empty() || (text.front() != 'v' && text.front() != 'V')) {
    return false;
  }
  text.remove_prefix(1);
  const std::size_t dot = text.find('.');
  return dot != std::string_view::npos && dot != 0 && dot + 1 < text.size() &&
         AllOf(text.substr(0, dot), kHex) &&
         AllOf(text.substr(dot + 1), kUserInfo);
}

// authority = [ userinfo "@" ] host [ ":" port ]
bool IsAuthority(std::string_view text) noexcept {
  const std::size_t at = text.find('@');
  if (at != std::string_view::npos) {
    if (!All(text.substr(0, at), kUserInfo)) return false;
    text.remove_prefix(at + 1);
  }
  std::string_view port;
  if (!text.empty() && text.front() == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    const std::string_view literal = text.substr(1, close - 1);
    if (!IsIpv6(literal) && !IsIpFuture(literal)) return false;
    port = text.substr(close + 1);
  } else {
    // IPv4 addresses are among the registered names.
    const std::size_t colon = text.find(':');
    if (!All(text.substr(0, colon), kRegName)) return false;
    if (colon != std::string_view::npos) port = text.substr(colon);
  }
  if (port.empty()) return true;
  return port.front() == ':' && AllOf(port.substr(1), kDigit);
}

// hier-part or relative-part, then [ "?" query ] [ "#" fragment ].
bool IsRest(std::string_view text) noexcept {
  const std::size_t hash = text.find('#');
  if (hash != std::string_view::npos) {
    if (!All(text.substr(hash + 1), kQuery)) return false;
    text = text.substr(0, hash);
  }
  const std::size_t question = text.find('?');
  if (question != std::string_view::npos) {
    if (!All(text.substr(question + 1), kQuery)) return false;
    text = text.substr(0, question);
  }
  if (text.substr(0, 2) == "//") {
    text.remove_prefix(2);
    const std::size_t slash = text.find('/');
    if (!IsAuthority(text.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash);
  }
  return All(text, kPath);
}

// The length of `scheme ":"` at the front, or 0.
std::size_t SchemeSize(std::string_view text) noexcept {
  if (text.empty() || !Is(text.front(), kAlpha)) return 0;
  std::size_t size = 1;
  while (size < text.size() && Is(text[size], kScheme)) ++size;
  return size < text.size() && text[size] == ':' ? size + 1 : 0;
}

}  // namespace

bool IsUri(std::string_view text) noexcept {
  const std::size_t scheme = SchemeSize(text);
  return scheme != 0 && IsRest(text.substr(scheme));
}

bool IsUriReference(std::string_view text) noexcept {
  // Most are a path without a colon, and characters that are themselves.
  if (text.substr(0, 2) != "//" && AllOf(text, kPlainPath)) return true;
  if (const std::size_t scheme = SchemeSize(text)) {
    return IsRest(text.substr(scheme));
  }
  // "A path segment that contains a colon character (e.g., "this:that") cannot
  // be used as the first segment of a relative-path reference, as it would be
  // mistaken for a scheme name." RFC 3986 section 4.2.
  const std::size_t stop = text.find_first_of(":/?#");
  if (stop != std::string_view::npos && text[stop] == ':') return false;
  return IsRest(text);
}

}  // namespace cirro
