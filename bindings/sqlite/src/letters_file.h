#pragma once

#include <sys/types.h>

#include <functional>

#include "cirro/cloudevents/result.h"
#include "cirro/sqlite/sqlite.h"
#include "database.h"

namespace cirro::internal::sqlite {

/// An open file of dead letters, and which file that is.
struct LettersFile {
  DatabaseHandle database;
  dev_t device = 0;
  ino_t inode = 0;
};

/// What to do with a file that is not there.
enum class Absent { kMake, kFail };

/// Opens the file at options.path and checks that it is one of dead letters,
/// ours, and nobody else's to read. `wait` is SQLite's busy handler (false:
/// give up); it outlives the file. kInvalidConfig where somebody has to change
/// something, else kUnavailable.
[[nodiscard]] Result<LettersFile> OpenLetters(const SqliteStoreOptions& options,
                                              Absent absent,
                                              std::function<bool(int)>& wait);

/// Whether options.path still is that file: one that was removed or replaced
/// would take letters that nobody finds.
[[nodiscard]] bool IsStillThere(const LettersFile& file,
                                const SqliteStoreOptions& options) noexcept;

}  // namespace cirro::internal::sqlite
