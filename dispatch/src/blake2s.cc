#include "blake2s.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace cirro::internal {
namespace {

using Words = std::array<std::uint32_t, 16>;

// RFC 7693, section 2.6 and 2.7.
constexpr std::array<std::uint32_t, 8> kInitial = {
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
    0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};

constexpr std::uint8_t kOrder[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

void Mix(Words& v, std::size_t a, std::size_t b, std::size_t c, std::size_t d,
         std::uint32_t x, std::uint32_t y) noexcept {
  v[a] = v[a] + v[b] + x;
  v[d] = std::rotr(v[d] ^ v[a], 16);
  v[c] = v[c] + v[d];
  v[b] = std::rotr(v[b] ^ v[c], 12);
  v[a] = v[a] + v[b] + y;
  v[d] = std::rotr(v[d] ^ v[a], 8);
  v[c] = v[c] + v[d];
  v[b] = std::rotr(v[b] ^ v[c], 7);
}

}  // namespace

Blake2s128::Blake2s128() noexcept : state_(kInitial) {
  state_[0] ^= 0x01010000 ^ 16;  // No key, fan-out and depth 1, 16 bytes.
}

void Blake2s128::Update(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    // A full block waits for one more byte: the last one is marked.
    if (filled_ == block_.size()) Compress(false);
    const std::size_t size = std::min(bytes.size(), block_.size() - filled_);
    std::memcpy(block_.data() + filled_, bytes.data(), size);
    filled_ += size;
    total_ += size;
    bytes.remove_prefix(size);
  }
}

std::array<std::uint8_t, 16> Blake2s128::Finish() noexcept {
  std::fill(block_.begin() + static_cast<std::ptrdiff_t>(filled_), block_.end(),
            std::uint8_t{0});
  Compress(true);
  std::array<std::uint8_t, 16> digest;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<std::uint8_t>(state_[i / 4] >> (8 * (i % 4)));
  }
  return digest;
}

void Blake2s128::Compress(bool last) noexcept {
  Words m;
  for (std::size_t i = 0; i < m.size(); ++i) {
    m[i] = static_cast<std::uint32_t>(block_[4 * i]) |
           static_cast<std::uint32_t>(block_[4 * i + 1]) << 8 |
           static_cast<std::uint32_t>(block_[4 * i + 2]) << 16 |
           static_cast<std::uint32_t>(block_[4 * i + 3]) << 24;
  }
  Words v;
  std::copy(state_.begin(), state_.end(), v.begin());
  std::copy(kInitial.begin(), kInitial.end(), v.begin() + 8);
  v[12] ^= static_cast<std::uint32_t>(total_);
  v[13] ^= static_cast<std::uint32_t>(total_ >> 32);
  if (last) v[14] = ~v[14];
  for (const auto& s : kOrder) {
    Mix(v, 0, 4, 8, 12, m[s[0]], m[s[1]]);
    Mix(v, 1, 5, 9, 13, m[s[2]], m[s[3]]);
    Mix(v, 2, 6, 10, 14, m[s[4]], m[s[5]]);
    Mix(v, 3, 7, 11, 15, m[s[6]], m[s[7]]);
    Mix(v, 0, 5, 10, 15, m[s[8]], m[s[9]]);
    Mix(v, 1, 6, 11, 12, m[s[10]], m[s[11]]);
    Mix(v, 2, 7, 8, 13, m[s[12]], m[s[13]]);
    Mix(v, 3, 4, 9, 14, m[s[14]], m[s[15]]);
  }
  for (std::size_t i = 0; i < state_.size(); ++i) state_[i] ^= v[i] ^ v[i + 8];
  filled_ = 0;
}

}  // namespace cirro::internal
