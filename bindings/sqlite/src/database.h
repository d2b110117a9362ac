#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cirro/cloudevents/result.h"

namespace cirro::internal::sqlite {

struct CloseDatabase {
  void operator()(sqlite3* database) const noexcept { sqlite3_close(database); }
};
using DatabaseHandle = std::unique_ptr<sqlite3, CloseDatabase>;

struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const noexcept {
    sqlite3_finalize(statement);
  }
};

/// What SQLite said, as an error that begins with `where`. All that
/// may pass, what is wrong with the file included, is kUnavailable.
[[nodiscard]] Error SqliteError(sqlite3* database, int code,
                                std::string_view where);

/// A prepared statement. Parameters count from 1, columns from 0. What is bound
/// lives until Run or Step returned for the last time. One thread.
class Statement {
 public:
  /// Fails as SqliteError.
  static Result<Statement> Prepare(sqlite3* database, std::string_view sql);

  void Bind(int index, std::string_view text) noexcept;
  void BindBytes(int index, std::string_view bytes) noexcept;
  void Bind(int index, std::int64_t value) noexcept;
  void BindNull(int index) noexcept;

  /// To the next row; false at the end, which makes it ready to be run again.
  Result<bool> Step();
  /// All rows; ready to be run again.
  Result<void> Run();
  /// Gives up the rows that were not asked for, and the file's lock with them.
  void Reset() noexcept;

  /// Of this row, until the next step. Empty where it is null.
  [[nodiscard]] std::string_view Text(int column) const noexcept;
  [[nodiscard]] std::int64_t Integer(int column) const noexcept;
  [[nodiscard]] bool IsNull(int column) const noexcept;

 private:
  explicit Statement(sqlite3_stmt* adopted) noexcept : statement_(adopted) {}

  std::unique_ptr<sqlite3_stmt, FinalizeStatement> statement_;
};

/// Statements without values, `;` between them.
Result<void> Execute(sqlite3* database, const char* sql);

}  // namespace cirro::internal::sqlite
