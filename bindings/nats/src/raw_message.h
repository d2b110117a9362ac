#pragma once

#include <string_view>
#include <vector>

#include "cirro/nats/codec.h"
#include "handles.h"

// A message of libnats, read without copies.
namespace cirro::internal::nats {

[[nodiscard]] inline std::string_view PayloadOf(const natsMsg* message) {
  const char* const data = natsMsg_GetData(message);
  return data == nullptr
             ? std::string_view()
             : std::string_view(data, static_cast<std::size_t>(
                                          natsMsg_GetDataLength(message)));
}

/// Its headers, into `headers`: views that live as long as the message.
/// REQUIRES: it was received, and is as it came.
void ReadHeaders(natsMsg* message, std::vector<NatsHeader>& headers);

/// Of one header, exactly so spelt; empty where it is not there.
[[nodiscard]] std::string_view HeaderOf(natsMsg* message, const char* name);

}  // namespace cirro::internal::nats
