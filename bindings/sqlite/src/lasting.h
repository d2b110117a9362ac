#pragma once

#include <string>

#include "cirro/cloudevents/result.h"
#include "cirro/sqlite/sqlite.h"

namespace cirro::internal::sqlite {

/// Whether what lies at options.path outlives the container, as far as that
/// can be told: where K_SERVICE is set, only on a mount that is no memory.
/// Fails with kInvalidConfig, naming the settings.
[[nodiscard]] Result<void> CheckLasting(const SqliteStoreOptions& options);

}  // namespace cirro::internal::sqlite
