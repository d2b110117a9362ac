#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/dispatch/delivery.h"
#include "support/running_receiver.h"

namespace cirro::test {

/// A reply that tells which event it answers.
inline Settlement Echoed(std::string_view id, std::size_t data_bytes = 0) {
  EventBuilder builder;
  builder.id(id).source("/reply").type("test.reply");
  if (data_bytes > 0) builder.data(Text(std::string(data_bytes, 'x')));
  return {.kind = Settlement::Kind::kAck, .replies = {*builder.Build()}};
}

inline Settlement Echoed(const Delivery& delivery) {
  return Echoed(delivery.event()->id());
}

/// Requests with the ids 0, 1, ..., one behind the other.
inline std::string PostEvents(int count) {
  std::string requests;
  for (int i = 0; i < count; ++i) requests += PostEvent(std::to_string(i));
  return requests;
}

}  // namespace cirro::test
