#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace cirro::internal {

/// Multiplies to 128 bits and folds: the whole mixing step of HashText.
[[nodiscard]] inline std::uint64_t Fold(std::uint64_t a,
                                        std::uint64_t b) noexcept {
  // __extension__: a 128-bit integer is no standard type, and both compilers
  // that are supported have it.
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^
         static_cast<std::uint64_t>(product >> 64);
}

/// A fast hash for tables in this process: eight bytes a step. Not for what is
/// stored or sent; give a random seed where a peer picks the text.
[[nodiscard]] inline std::uint64_t HashText(std::string_view text,
                                            std::uint64_t seed) noexcept {
  constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15;
  const char* at = text.data();
  std::size_t left = text.size();
  std::uint64_t state = seed ^ (left * kOdd);
  const auto mix = [&state](std::uint64_t word) {
    state = Fold(state ^ word, 0xD6E8FEB86659FD93 ^ state);
  };
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    mix(word);
  }
  std::uint64_t tail = 0;
  if (left > 0) std::memcpy(&tail, at, left);
  mix(tail);
  return Fold(state, kOdd);
}

}  // namespace cirro::internal
