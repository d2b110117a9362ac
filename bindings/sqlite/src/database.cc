#include "database.h"

namespace cirro::internal::sqlite {
namespace {

// No switch over SQLite's own numbers needs a new branch when it learns one:
// what is not known here is the file's fault, and may pass.
ErrorCode CodeOf(int code) noexcept {
  switch (code & 0xFF) {
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
      return ErrorCode::kInternal;
    default:
      return ErrorCode::kUnavailable;
  }
}

}  // namespace

Error SqliteError(sqlite3* database, int code, std::string_view where) {
  std::string message(where);
  message.append(": ").append(sqlite3_errstr(code));
  const int number = database != nullptr ? sqlite3_system_errno(database) : 0;
  if (number != 0 && (code & 0xFF) != SQLITE_BUSY) {
    message.append(" (system error ").append(std::to_string(number)) += ')';
  }
  return {CodeOf(code), std::move(message)};
}

Result<Statement> Statement::Prepare(sqlite3* database, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  Statement owner(statement);
  if (code != SQLITE_OK) return SqliteError(database, code, "prepare");
  return owner;
}

// A binding fails only for what is larger than SQLite can hold, and nobody
// binds that: Bury refuses it before.
void Statement::Bind(int index, std::string_view text) noexcept {
  // A null pointer would be NULL.
  sqlite3_bind_text64(statement_.get(), index,
                      text.data() == nullptr ? "" : text.data(), text.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
}
void Statement::BindBytes(int index, std::string_view bytes) noexcept {
  sqlite3_bind_blob64(statement_.get(), index,
                      bytes.data() == nullptr ? "" : bytes.data(), bytes.size(),
                      SQLITE_STATIC);
}
void Statement::Bind(int index, std::int64_t value) noexcept {
  sqlite3_bind_int64(statement_.get(), index, value);
}
void Statement::BindNull(int index) noexcept {
  sqlite3_bind_null(statement_.get(), index);
}

Result<bool> Statement::Step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  sqlite3* const database = sqlite3_db_handle(statement_.get());
  std::optional<Error> error;
  if (code != SQLITE_DONE) error = SqliteError(database, code, "sqlite");
  sqlite3_reset(statement_.get());
  if (error) return *std::move(error);
  return false;
}

Result<void> Statement::Run() {
  for (;;) {
    const auto more = Step();
    if (!more) return more.error();
    if (!*more) return {};
  }
}

void Statement::Reset() noexcept { sqlite3_reset(statement_.get()); }

std::string_view Statement::Text(int column) const noexcept {
  const void* const bytes = sqlite3_column_blob(statement_.get(), column);
  if (bytes == nullptr) return {};
  return {
      static_cast<const char*>(bytes),
      static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}
std::int64_t Statement::Integer(int column) const noexcept {
  return sqlite3_column_int64(statement_.get(), column);
}
bool Statement::IsNull(int column) const noexcept {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

Result<void> Execute(sqlite3* database, const char* sql) {
  const int code = sqlite3_exec(database, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return SqliteError(database, code, "sqlite");
  return {};
}

}  // namespace cirro::internal::sqlite
