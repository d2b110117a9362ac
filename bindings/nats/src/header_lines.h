#pragma once

#include <string_view>
#include <vector>

#include "cirro/nats/codec.h"

namespace cirro::internal::nats {

/// The headers of a message as it is on the wire, "NATS/1.0", lines and an
/// empty one, into `headers`: views into `lines`, in their order, the space
/// around values left out. False, and `headers` are nothing, where there is
/// more to it: a status, a line that goes on in the next, a broken one.
[[nodiscard]] bool ParseHeaderLines(std::string_view lines,
                                    std::vector<NatsHeader>& headers);

}  // namespace cirro::internal::nats
