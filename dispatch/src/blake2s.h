#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cirro::internal {

/// BLAKE2s with a digest of 16 bytes and no key. A peer cannot make two texts
/// with one digest on purpose as it could with a table's hash.
/// Source: RFC 7693.
class Blake2s128 {
 public:
  Blake2s128() noexcept;
  void Update(std::string_view bytes) noexcept;
  [[nodiscard]] std::array<std::uint8_t, 16> Finish() noexcept;

 private:
  void Compress(bool last) noexcept;

  std::array<std::uint32_t, 8> state_;
  std::array<std::uint8_t, 64> block_{};
  std::size_t filled_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace cirro::internal
