#include "letter_bytes.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>

#include "cirro/cloudevents/decode_options.h"
#include "cirro/cloudevents/event_assembler.h"

namespace cirro::internal::sqlite {
namespace {

// Four bytes, the lowest first, whatever machine wrote the file.
void PackText(std::string_view text, std::string& out) {
  const auto size = static_cast<std::uint32_t>(text.size());
  for (int shift = 0; shift < 32; shift += 8) {
    out += static_cast<char>((size >> shift) & 0xFF);
  }
  out += text;
}

std::optional<std::string_view> UnpackText(std::string_view& bytes) {
  if (bytes.size() < 4) return std::nullopt;
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    size |= std::size_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  }
  bytes.remove_prefix(4);
  if (size > bytes.size()) return std::nullopt;
  const std::string_view text = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return text;
}

// The event was valid when it was kept: no bound of a peer's is asked again.
const DecodeOptions& NoBounds() {
  constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
  static const DecodeOptions kOptions{.max_attributes = kMost,
                                      .max_attribute_name_bytes = kMost,
                                      .max_attribute_value_bytes = kMost,
                                      .max_event_bytes = kMost,
                                      .max_json_depth = 1024};
  return kOptions;
}

}  // namespace

std::string PackHeaders(const MessageHeaders& headers) {
  std::string bytes;
  for (const auto& [name, value] : headers) {
    PackText(name, bytes);
    PackText(value, bytes);
  }
  return bytes;
}

std::optional<MessageHeaders> UnpackHeaders(std::string_view bytes) {
  MessageHeaders headers;
  while (!bytes.empty()) {
    const auto name = UnpackText(bytes);
    const auto value = name ? UnpackText(bytes) : std::nullopt;
    if (!value) return std::nullopt;
    headers.emplace_back(*name, *value);
  }
  return headers;
}

std::string PackAttributes(const Event& event) {
  std::string bytes;
  for (std::size_t i = 0; i < event.attribute_count(); ++i) {
    const Attribute attribute = event.attribute_at(i);
    bytes += static_cast<char>(attribute.type);
    PackText(attribute.name, bytes);
    PackText(attribute.text, bytes);
  }
  return bytes;
}

Result<Event> UnpackEvent(std::string_view attributes,
                          std::optional<std::string_view> data, DataKind kind) {
  constexpr auto kLastType =
      static_cast<unsigned char>(AttributeType::kTimestamp);
  EventAssembler assembler(NoBounds());
  while (!attributes.empty()) {
    const auto type = static_cast<unsigned char>(attributes.front());
    attributes.remove_prefix(1);
    const auto name = UnpackText(attributes);
    const auto text = name ? UnpackText(attributes) : std::nullopt;
    if (!text || type > kLastType) {
      return Error{ErrorCode::kInvalidEvent, "the attributes are broken"};
    }
    assembler.AddAttribute(*name, *text, static_cast<AttributeType>(type));
  }
  if (data && kind == DataKind::kJson) {
    assembler.SetData(*data);  // Nobody promises what a file holds.
  } else if (data) {
    assembler.SetData(*data, kind);
  }
  return assembler.Build();
}

}  // namespace cirro::internal::sqlite
