#pragma once

#include <string_view>
#include <vector>

#include "cirro/cloudevents/event_draft.h"
#include "cirro/cloudevents/result.h"

namespace cirro::internal {

/// The extensions of `K_CE_OVERRIDES`: {"extensions":{"name":"value"}}. Empty
/// text has none. Fails with kInvalidConfig.
[[nodiscard]] Result<std::vector<Extension>> ParseOverrides(
    std::string_view json);

}  // namespace cirro::internal
