#include "json_pointer.h"

#include <cassert>
#include <charconv>
#include <cstddef>
#include <cstdint>

namespace cirro::internal {
namespace {

void AppendUtf8(std::uint32_t code, std::string& out) {
  const auto byte = [&out](std::uint32_t value) {
    out.push_back(static_cast<char>(value));
  };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | (code >> 6));
    byte(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    byte(0xE0 | (code >> 12));
    byte(0x80 | ((code >> 6) & 0x3F));
    byte(0x80 | (code & 0x3F));
  } else {
    byte(0xF0 | (code >> 18));
    byte(0x80 | ((code >> 12) & 0x3F));
    byte(0x80 | ((code >> 6) & 0x3F));
    byte(0x80 | (code & 0x3F));
  }
}

// Walks JSON that was checked before, so it looks at structure only; it stops
// at the end all the same.
class Walker {
 public:
  explicit Walker(std::string_view json) : left_(json) { SkipBlanks(); }

  [[nodiscard]] char Peek() const { return left_.empty() ? '\0' : left_[0]; }

  // Past `c` and blanks, if `c` is next.
  bool Take(char c) {
    if (Peek() != c) return false;
    left_.remove_prefix(1);
    SkipBlanks();
    return true;
  }

  // A string's characters; in `room` if they had to be unescaped.
  std::string_view String(std::string& room) {
    const std::string_view raw = RawString();
    if (raw.find('\\') == std::string_view::npos) return raw;
    room.clear();
    for (std::size_t i = 0; i < raw.size(); ++i) {
      if (raw[i] != '\\' || i + 1 == raw.size()) {
        room.push_back(raw[i]);
        continue;
      }
      switch (const char c = raw[++i]) {
        case 'b':
          room.push_back('\b');
          break;
        case 'f':
          room.push_back('\f');
          break;
        case 'n':
          room.push_back('\n');
          break;
        case 'r':
          room.push_back('\r');
          break;
        case 't':
          room.push_back('\t');
          break;
        case 'u': {
          std::uint32_t code = Hex4(raw, i + 1);
          i += 4;
          if (code >= 0xD800 && code < 0xDC00) {
            code =
                0x10000 + ((code - 0xD800) << 10) + (Hex4(raw, i + 3) - 0xDC00);
            i += 6;
          }
          AppendUtf8(code, room);
          break;
        }
        default:
          room.push_back(c);
      }
    }
    return room;
  }

  // The text of a number, true, false or null.
  std::string_view Scalar() {
    std::size_t size = 0;
    while (size < left_.size() &&
           std::string_view(",]} \t\r\n").find(left_[size]) ==
               std::string_view::npos) {
      ++size;
    }
    const std::string_view scalar = left_.substr(0, size);
    left_.remove_prefix(size);
    SkipBlanks();
    return scalar;
  }

  void SkipValue() {
    int depth = 0;
    do {
      const char c = Peek();
      if (c == '"') {
        RawString();
      } else if (c == '{' || c == '[') {
        ++depth;
        Take(c);
      } else if (c == '}' || c == ']') {
        --depth;
        Take(c);
      } else if (c == ',' || c == ':') {
        Take(c);
      } else {
        Scalar();
      }
    } while (depth > 0 && !left_.empty());
  }

 private:
  static std::uint32_t Hex4(std::string_view text, std::size_t at) {
    std::uint32_t value = 0;
    if (at + 4 <= text.size()) {
      std::from_chars(text.data() + at, text.data() + at + 4, value, 16);
    }
    return value;
  }

  void SkipBlanks() {
    const std::size_t at = left_.find_first_not_of(" \t\r\n");
    left_.remove_prefix(at == std::string_view::npos ? left_.size() : at);
  }

  std::string_view RawString() {
    left_.remove_prefix(1);
    std::size_t end = 0;
    while (end < left_.size() && left_[end] != '"') {
      end += left_[end] == '\\' ? 2 : 1;
    }
    const std::string_view raw = left_.substr(0, end);
    left_.remove_prefix(end < left_.size() ? end + 1 : left_.size());
    SkipBlanks();
    return raw;
  }

  std::string_view left_;
};

// Whether `name` is what the pointer's `token` stands for: ~1 is /, ~0 is ~.
bool IsToken(std::string_view token, std::string_view name) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < token.size(); ++i, ++at) {
    char c = token[i];
    if (c == '~') c = token[++i] == '1' ? '/' : '~';
    if (at == name.size() || name[at] != c) return false;
  }
  return at == name.size();
}

bool EnterMember(Walker& at, std::string_view token, std::string& room) {
  while (at.Peek() == '"') {
    const bool found = IsToken(token, at.String(room));
    at.Take(':');
    if (found) return true;
    at.SkipValue();
    at.Take(',');
  }
  return false;
}

bool EnterElement(Walker& at, std::string_view token) {
  std::size_t index = 0;
  const char* const end = token.data() + token.size();
  const auto [stop, error] = std::from_chars(token.data(), end, index);
  const bool canonical = token.size() == 1 || !token.starts_with('0');
  if (error != std::errc() || stop != end || !canonical) return false;
  for (; index > 0; --index) {
    if (at.Peek() == ']') return false;
    at.SkipValue();
    if (!at.Take(',')) return false;
  }
  return at.Peek() != ']' && at.Peek() != '\0';
}

}  // namespace

bool IsJsonPointer(std::string_view pointer) noexcept {
  if (!pointer.empty() && pointer[0] != '/') return false;
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] != '~') continue;
    if (i + 1 == pointer.size()) return false;
    if (pointer[i + 1] != '0' && pointer[i + 1] != '1') return false;
  }
  return true;
}

std::string_view KeyAt(std::string_view json, std::string_view pointer,
                       std::string& room) {
  assert(IsJsonPointer(pointer));
  Walker at(json);
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::string_view token = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(token.size());
    if (at.Take('{')) {
      if (!EnterMember(at, token, room)) return {};
    } else if (at.Take('[')) {
      if (!EnterElement(at, token)) return {};
    } else {
      return {};
    }
  }
  switch (at.Peek()) {
    case '"':
      return at.String(room);
    case '{':
    case '[':
    case '\0':
      return {};
    default: {
      const std::string_view scalar = at.Scalar();
      return scalar == "null" ? std::string_view() : scalar;
    }
  }
}

}  // namespace cirro::internal
