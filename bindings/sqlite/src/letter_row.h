#pragma once

#include <cstddef>
#include <string_view>

#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/dead_letter.h"
#include "cirro/dispatch/letter_box.h"
#include "database.h"

namespace cirro::internal::sqlite {

/// Makes the tables in an empty file.
inline constexpr const char* kCreateTables = R"sql(
CREATE TABLE letters(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  inlet TEXT NOT NULL, stream TEXT NOT NULL, number INTEGER NOT NULL,
  seconds INTEGER NOT NULL, nanoseconds INTEGER NOT NULL,
  redriven TEXT,
  reason TEXT NOT NULL, function TEXT NOT NULL, position TEXT NOT NULL,
  attempts INTEGER NOT NULL, first_error TEXT NOT NULL,
  last_error TEXT NOT NULL, time TEXT,
  type TEXT, source TEXT, event_id TEXT,
  error_code INTEGER, error TEXT,
  kind INTEGER NOT NULL, attributes BLOB, data BLOB,
  key BLOB NOT NULL,
  original_headers BLOB, original_bytes BLOB, original_function TEXT,
  dead_letter INTEGER NOT NULL);
CREATE INDEX letters_order
  ON letters(inlet, stream, number, seconds, nanoseconds, id);
CREATE INDEX letters_redriven ON letters(id) WHERE redriven IS NOT NULL;
)sql";

inline constexpr std::string_view kInsertLetter =
    "INSERT INTO letters(inlet, stream, number, seconds, nanoseconds, reason, "
    "function, position, attempts, first_error, last_error, time, type, "
    "source, event_id, error_code, error, kind, attributes, data, key, "
    "original_headers, original_bytes, original_function, dead_letter) "
    "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";

/// What ReadLetter reads.
inline constexpr std::string_view kLetterColumns =
    "id, redriven IS NOT NULL, reason, function, inlet, position, attempts, "
    "first_error, last_error, time, type, error_code, error, kind, attributes, "
    "data, key, original_headers, original_bytes, "
    "original_function, dead_letter";

/// Runs kInsertLetter with the letter.
Result<void> InsertLetter(Statement& insert, const DeadLetter& letter);

/// The letter of a row of kLetterColumns. One that cannot be read any more
/// fails with kInvalidEvent, naming its id.
[[nodiscard]] Result<KeptLetter> ReadLetter(const Statement& row);

/// About the bytes that a letter takes.
[[nodiscard]] std::size_t LetterSize(const DeadLetter& letter) noexcept;

}  // namespace cirro::internal::sqlite
