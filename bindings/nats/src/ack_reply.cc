#include "ack_reply.h"

#include <array>
#include <charconv>
#include <cstddef>

namespace cirro::internal::nats {
namespace {

constexpr std::string_view kPrefix = "$JS.ACK.";
// Behind the prefix: of the short form, and of the long one.
constexpr std::size_t kShort = 7;
constexpr std::size_t kLong = 9;

template <typename Number>
bool Read(std::string_view text, Number& number) noexcept {
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::optional<AckReply> ParseAckReply(std::string_view reply) noexcept {
  if (!reply.starts_with(kPrefix)) return std::nullopt;
  reply.remove_prefix(kPrefix.size());
  std::array<std::string_view, kLong> tokens;
  std::size_t count = 0;
  for (;;) {
    const std::size_t dot = reply.find('.');
    if (count < tokens.size()) tokens[count] = reply.substr(0, dot);
    ++count;
    if (dot == std::string_view::npos) break;
    reply.remove_prefix(dot + 1);
  }
  if (count != kShort && count < kLong) return std::nullopt;
  const std::size_t first = count == kShort ? 2 : 4;
  AckReply parsed;
  std::uint64_t consumer_sequence = 0;
  const bool ok = Read(tokens[first], parsed.delivered) &&
                  Read(tokens[first + 1], parsed.sequence) &&
                  Read(tokens[first + 2], consumer_sequence) &&
                  Read(tokens[first + 3], parsed.stored_at) &&
                  Read(tokens[first + 4], parsed.pending);
  if (!ok || parsed.delivered == 0) return std::nullopt;
  return parsed;
}

}  // namespace cirro::internal::nats
