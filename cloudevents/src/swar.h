#pragma once

#include <cstdint>
#include <cstring>

namespace cirro::internal {

// Eight bytes at a time in a plain integer. Each Has* answers for the whole
// word, so that scanners take the slow path only for the word that needs it.
inline constexpr std::uint64_t kOnes = 0x0101010101010101U;
inline constexpr std::uint64_t kHighs = 0x8080808080808080U;

inline std::uint64_t LoadWord(const char* from) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// Not zero if a byte is zero.
constexpr std::uint64_t ZeroBytes(std::uint64_t word) noexcept {
  return (word - kOnes) & ~word & kHighs;
}

/// Not zero if a byte is `c`.
constexpr std::uint64_t BytesEqual(std::uint64_t word,
                                   unsigned char c) noexcept {
  return ZeroBytes(word ^ (kOnes * c));
}

/// Not zero if a byte is below 0x20.
constexpr std::uint64_t ControlBytes(std::uint64_t word) noexcept {
  return (word - kOnes * 0x20U) & ~word & kHighs;
}

/// Not zero if a byte is above 0x7F.
constexpr std::uint64_t HighBytes(std::uint64_t word) noexcept {
  return word & kHighs;
}

}  // namespace cirro::internal
