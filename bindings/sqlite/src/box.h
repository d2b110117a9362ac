#pragma once

#include <memory>

#include "cirro/sqlite/sqlite.h"

namespace cirro::internal::sqlite {

/// The letters in the file of `options`, which is there.
[[nodiscard]] Result<std::unique_ptr<LetterBox>> OpenBox(
    const SqliteStoreOptions& options);

}  // namespace cirro::internal::sqlite
