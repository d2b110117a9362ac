#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace cirro::internal {

// Eight bytes at a time in a plain integer. Each finder marks the high bit of
// the bytes it finds; a borrow may mark bytes after the first one found, so
// that only the first mark means anything.
inline constexpr std::uint64_t kOnes = 0x0101010101010101U;
inline constexpr std::uint64_t kHighs = 0x8080808080808080U;

inline std::uint64_t LoadWord(const char* from) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// The index of the first marked byte. REQUIRES: marks != 0.
inline std::size_t FirstMark(std::uint64_t marks) noexcept {
  if constexpr (std::endian::native == std::endian::little) {
    return static_cast<std::size_t>(std::countr_zero(marks)) / 8;
  } else {
    return 0;  // Marks after the first are not to be trusted: look at each.
  }
}

/// Marks bytes that are zero.
constexpr std::uint64_t ZeroBytes(std::uint64_t word) noexcept {
  return (word - kOnes) & ~word & kHighs;
}

/// Marks bytes that are `c`.
constexpr std::uint64_t BytesEqual(std::uint64_t word,
                                   unsigned char c) noexcept {
  return ZeroBytes(word ^ (kOnes * c));
}

/// Marks bytes that are not ASCII from 0x20 on.
constexpr std::uint64_t ControlOrHighBytes(std::uint64_t word) noexcept {
  return ((word - kOnes * 0x20U) | word) & kHighs;
}

/// Marks bytes above 0x7F, all of them.
constexpr std::uint64_t HighBytes(std::uint64_t word) noexcept {
  return word & kHighs;
}

}  // namespace cirro::internal
