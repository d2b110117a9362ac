#pragma once

#include <cstddef>
#include <string_view>

namespace cirro::internal {

inline constexpr std::size_t kMostJsonDepth = 1'024;

/// Walks over JSON text and checks every byte of it: grammar, escapes,
/// surrogate pairs, UTF-8, depth. Keeps no tree and allocates nothing; reads no
/// byte past its input. Each Skip returns false at the first fault, which
/// `problem` then names and `position` points at.
class JsonScan {
 public:
  JsonScan(std::string_view text, std::size_t max_depth) noexcept
      : begin_(text.data()),
        at_(text.data()),
        end_(text.data() + text.size()),
        max_depth_(max_depth < kMostJsonDepth ? max_depth : kMostJsonDepth) {}

  void SkipSpace() noexcept {
    while (at_ != end_ &&
           (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) {
      ++at_;
    }
  }
  /// Takes `c` if it is next.
  bool Take(char c) noexcept {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }
  /// The next character, or NUL at the end, where no JSON has one.
  [[nodiscard]] char peek() const noexcept { return at_ == end_ ? '\0' : *at_; }
  [[nodiscard]] bool at_end() const noexcept { return at_ == end_; }

  /// One value of any kind. REQUIRES: no space before it.
  bool SkipValue() noexcept;
  /// A string; `inside` is what lies between its quotes, still escaped.
  /// REQUIRES: peek() is a quote.
  bool SkipString(std::string_view& inside, bool& escaped) noexcept;

  /// Where the scan stands.
  [[nodiscard]] const char* at() const noexcept { return at_; }
  [[nodiscard]] std::size_t position() const noexcept {
    return static_cast<std::size_t>(at_ - begin_);
  }
  [[nodiscard]] const char* problem() const noexcept { return problem_; }
  bool Fail(const char* problem) noexcept {
    if (problem_ == nullptr) problem_ = problem;
    return false;
  }

 private:
  bool SkipScalar() noexcept;
  bool SkipNumber() noexcept;
  bool SkipWord(std::string_view word) noexcept;
  bool SkipEscape() noexcept;
  bool SkipMemberName() noexcept;

  const char* begin_;
  const char* at_;
  const char* end_;
  std::size_t max_depth_;
  const char* problem_ = nullptr;
};

/// Writes the text behind the inside of a JSON string to `out`, which is never
/// longer, and returns its length. REQUIRES: `inside` was scanned.
std::size_t UnescapeJson(std::string_view inside, char* out) noexcept;

}  // namespace cirro::internal
