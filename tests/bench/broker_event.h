#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/event_builder.h"
#include "module_of.h"

namespace cirro::bench {

/// The event that is sent and read: seven attributes and 100 bytes of JSON.
struct Header {
  const char* attribute;
  const char* text;  ///< Null of the id, which is another one each time.
};
inline constexpr Header kEvent[] = {{"specversion", "1.0"},
                                    {"id", nullptr},
                                    {"source", "/shops/berlin/4"},
                                    {"type", "com.example.order.placed"},
                                    {"time", "2024-05-06T07:08:09.123Z"},
                                    {"subject", "orders/1009"},
                                    {"datacontenttype", "application/json"}};
inline const std::string kData =
    R"({"id":1009,"total":129.95,"note":")" + std::string(64, 'x') + "\"}";

inline std::string IdOf(int number) {
  return "b7c2f0de-" + std::to_string(number);
}

inline Event MakeEvent(int number) {
  auto event = EventBuilder()
                   .id(IdOf(number))
                   .source(kEvent[2].text)
                   .type(kEvent[3].text)
                   .time(kEvent[4].text)
                   .subject(kEvent[5].text)
                   .data({kData, DataKind::kJson, kEvent[6].text})
                   .Build();
  if (!event) Fail(event.error().message);
  return *std::move(event);
}

/// What a reader does with each value: nothing is left unread.
inline std::size_t Touch(std::string_view bytes) {
  std::size_t sum = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 64) {
    sum += static_cast<unsigned char>(bytes[at]);
  }
  return sum;
}
inline std::size_t Touch(const Event& event) {
  return Touch(event.specversion()) + Touch(event.id()) +
         Touch(event.source()) + Touch(event.type()) +
         Touch(event.time_text()) + Touch(event.subject()) +
         Touch(event.datacontenttype()) + Touch(event.data());
}

}  // namespace cirro::bench
