#include "base64.h"

#include <array>
#include <cstdint>

namespace cirro::internal {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNone = 0xFF;

constexpr std::array<std::uint8_t, 256> MakeValues() {
  std::array<std::uint8_t, 256> values{};
  for (auto& value : values) value = kNone;
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] =
        static_cast<std::uint8_t>(i);
  }
  return values;
}

constexpr auto kValues = MakeValues();

std::uint32_t Value(char c) noexcept {
  return kValues[static_cast<unsigned char>(c)];
}

std::size_t Padding(std::string_view text) noexcept {
  if (text.empty() || text.back() != '=') return 0;
  return text[text.size() - 2] == '=' ? 2 : 1;
}

// Calls `put` with each byte; false as soon as the text is not base64.
template <typename Put>
bool Decode(std::string_view text, Put put) noexcept {
  if (text.size() % 4 != 0) return false;
  const std::size_t padding = Padding(text);
  const std::size_t whole = text.size() / 4 - (padding != 0 ? 1 : 0);
  const char* at = text.data();
  for (std::size_t i = 0; i < whole; ++i, at += 4) {
    const std::uint32_t a = Value(at[0]);
    const std::uint32_t b = Value(at[1]);
    const std::uint32_t c = Value(at[2]);
    const std::uint32_t d = Value(at[3]);
    if ((a | b | c | d) > 63) return false;
    const std::uint32_t word = (a << 18U) | (b << 12U) | (c << 6U) | d;
    put(word >> 16U);
    put(word >> 8U);
    put(word);
  }
  if (padding == 0) return true;
  const std::uint32_t a = Value(at[0]);
  const std::uint32_t b = Value(at[1]);
  const std::uint32_t c = padding == 1 ? Value(at[2]) : 0;
  if ((a | b | c) > 63) return false;
  // Pad bits that are not zero would give one value two spellings.
  if (padding == 2 ? (b & 0x0FU) != 0 : (c & 0x03U) != 0) return false;
  const std::uint32_t word = (a << 18U) | (b << 12U) | (c << 6U);
  put(word >> 16U);
  if (padding == 1) put(word >> 8U);
  return true;
}

}  // namespace

bool IsBase64(std::string_view text) noexcept {
  return Decode(text, [](std::uint32_t) {});
}

std::size_t Base64DecodedSize(std::string_view text) noexcept {
  return text.size() / 4 * 3 - Padding(text);
}

bool DecodeBase64(std::string_view text, char* out) noexcept {
  return Decode(text, [&out](std::uint32_t byte) {
    *out++ = static_cast<char>(static_cast<unsigned char>(byte));
  });
}

void AppendBase64(std::string_view bytes, std::string& out) {
  const std::size_t start = out.size();
  out.resize(start + (bytes.size() + 2) / 3 * 4);
  char* put = out.data() + start;
  const auto byte = [&bytes](std::size_t i) -> std::uint32_t {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0;
  };
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::uint32_t word =
        (byte(i) << 16U) | (byte(i + 1) << 8U) | byte(i + 2);
    *put++ = kAlphabet[word >> 18U];
    *put++ = kAlphabet[(word >> 12U) & 0x3FU];
    *put++ = i + 1 < bytes.size() ? kAlphabet[(word >> 6U) & 0x3FU] : '=';
    *put++ = i + 2 < bytes.size() ? kAlphabet[word & 0x3FU] : '=';
  }
}

}  // namespace cirro::internal
