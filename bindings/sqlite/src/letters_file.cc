#include "letters_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "letter_row.h"

namespace cirro::internal::sqlite {
namespace {

// "CIRR": tells this file from others of SQLite's, also to file(1).
constexpr std::int64_t kApplication = 0x43495252;
constexpr std::int64_t kVersion = 1;

Error PathError(const SqliteStoreOptions& options, ErrorCode code,
                const std::string& why) {
  return {code, "`path` of dead letters '" + options.name +
                    "': " + options.path + ": " + why};
}

Error SystemError(const SqliteStoreOptions& options, int number) {
  const bool passing = number == ENOSPC || number == EDQUOT || number == EIO ||
                       number == EMFILE || number == ENFILE || number == EINTR;
  return PathError(
      options, passing ? ErrorCode::kUnavailable : ErrorCode::kInvalidConfig,
      std::strerror(number));
}

// SQLite would make the file as the umask says; its journal gets the mode that
// the file has. Closed again before SQLite opens it: closing any descriptor of
// a file ends all of a process's locks on it.
Result<void> Make(const SqliteStoreOptions& options) {
  const int file = open(options.path.c_str(),
                        O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                        S_IRUSR | S_IWUSR);
  if (file < 0) {
    if (errno == EEXIST) return {};
    return SystemError(options, errno);
  }
  // A umask can only take away, also from the owner.
  const int made = fchmod(file, S_IRUSR | S_IWUSR);
  const int number = errno;
  close(file);
  if (made != 0) return SystemError(options, number);
  return {};
}

Result<struct stat> Look(const SqliteStoreOptions& options) {
  struct stat found {};
  if (lstat(options.path.c_str(), &found) != 0) {
    return SystemError(options, errno);
  }
  const auto refuse = [&options](const std::string& why) {
    return PathError(options, ErrorCode::kInvalidConfig, why);
  };
  if (!S_ISREG(found.st_mode)) return refuse("it is no plain file");
  const uid_t user = geteuid();
  if (found.st_uid != user && user != 0) {
    return refuse("it belongs to user " + std::to_string(found.st_uid) +
                  ", and this is user " + std::to_string(user));
  }
  if ((found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return refuse("others may use it, and events lie in it: chmod 600");
  }
  if (access(options.path.c_str(), R_OK | W_OK) != 0) {
    return SystemError(options, errno);
  }
  return found;
}

Result<std::int64_t> Ask(sqlite3* database, std::string_view sql) {
  auto statement = Statement::Prepare(database, sql);
  if (!statement) return statement.error();
  const auto row = statement->Step();
  if (!row) return row.error();
  return *row ? statement->Integer(0) : 0;
}

// In a transaction that nobody else can be in: two processes may find one
// empty file.
Result<void> MakeTables(sqlite3* database) {
  if (auto begun = Execute(database, "BEGIN EXCLUSIVE"); !begun) return begun;
  const auto version = Ask(database, "PRAGMA user_version");
  Result<void> made;
  if (!version) {
    made = version.error();
  } else if (*version == 0) {
    made = Execute(database, kCreateTables);
    if (made) {
      const std::string marks =
          "PRAGMA application_id=" + std::to_string(kApplication) +
          "; PRAGMA user_version=" + std::to_string(kVersion);
      made = Execute(database, marks.c_str());
    }
  }
  if (made) made = Execute(database, "COMMIT");
  if (!made) (void)Execute(database, "ROLLBACK");
  return made;
}

Result<void> CheckTables(const SqliteStoreOptions& options, sqlite3* database) {
  const auto tables = Ask(database, "SELECT count(*) FROM sqlite_schema");
  if (!tables) return tables.error();
  if (*tables == 0) return MakeTables(database);
  const auto application = Ask(database, "PRAGMA application_id");
  if (!application) return application.error();
  const auto version = Ask(database, "PRAGMA user_version");
  if (!version) return version.error();
  if (*application != kApplication) {
    return PathError(options, ErrorCode::kInvalidConfig,
                     "it is somebody else's SQLite file, not one of dead "
                     "letters");
  }
  if (*version != kVersion) {
    return PathError(options, ErrorCode::kInvalidConfig,
                     "its version is " + std::to_string(*version) +
                         ", and this Cirro knows " + std::to_string(kVersion) +
                         " only; a later Cirro wrote it");
  }
  return {};
}

int AskToWait(void* wait, int tried) {
  return (*static_cast<std::function<bool(int)>*>(wait))(tried) ? 1 : 0;
}

}  // namespace

Result<LettersFile> OpenLetters(const SqliteStoreOptions& options,
                                Absent absent, std::function<bool(int)>& wait) {
  if (absent == Absent::kMake) {
    if (auto made = Make(options); !made) return made.error();
  }
  const auto found = Look(options);
  if (!found) return found.error();
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(
      options.path.c_str(), &database,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      nullptr);
  LettersFile file{.database = DatabaseHandle(database),
                   .device = found->st_dev,
                   .inode = found->st_ino};
  if (code != SQLITE_OK) {
    const Error error = SqliteError(database, code, "open");
    return PathError(options, error.code, error.message);
  }
  sqlite3_busy_handler(database, &AskToWait, &wait);
  // Made by no statement of ours, and read from a file that may be anybody's.
  sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);

  // A rollback journal, because it needs no shared memory: it also works where
  // a volume has locks but cannot be mapped. TRUNCATE syncs the journal's end
  // as FULL syncs all else.
  auto ready = Execute(database,
                       "PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=FULL");
  if (ready) ready = CheckTables(options, database);
  if (ready) return file;
  const int last = sqlite3_errcode(database) & 0xFF;
  if (last == SQLITE_NOTADB || last == SQLITE_CORRUPT) {
    return PathError(options, ErrorCode::kInvalidConfig,
                     "it is no SQLite file, or a broken one (" +
                         std::string(sqlite3_errstr(last)) + "); move it away");
  }
  if (ready.error().code == ErrorCode::kInvalidConfig) return ready.error();
  return PathError(options, ready.error().code, ready.error().message);
}

bool IsStillThere(const LettersFile& file,
                  const SqliteStoreOptions& options) noexcept {
  struct stat found {};
  return lstat(options.path.c_str(), &found) == 0 &&
         found.st_dev == file.device && found.st_ino == file.inode;
}

}  // namespace cirro::internal::sqlite
