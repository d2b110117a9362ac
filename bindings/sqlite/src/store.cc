#include "store.h"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <utility>

#include "lasting.h"
#include "letter_row.h"

namespace cirro::internal::sqlite {
namespace {

using std::chrono::milliseconds;

// Below SQLite's own limit for a row of 1,000,000,000 bytes.
constexpr std::uint64_t kLargestLetter = 900'000'000;
constexpr milliseconds kLockPoll{10};

Error InvalidOption(const SqliteStoreOptions& options, std::string_view option,
                    std::string_view why) {
  std::string message = "`";
  message.append(option).append("` of dead letters '" + options.name + "': ");
  message.append(why);
  return {ErrorCode::kInvalidConfig, std::move(message)};
}

// What a letter takes of the file: its row, its part of the indexes, and what
// is left empty in the last page of a long one.
std::size_t PagesOf(std::size_t bytes) noexcept {
  return bytes + bytes / 8 + (bytes > 2'000 ? 4'096 : 256);
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> LetterStore::Make(
    SqliteStoreOptions options) {
  if (options.path.empty()) return InvalidOption(options, "path", "is missing");
  if (options.path.find('\0') != std::string::npos) {
    return InvalidOption(options, "path", "has a NUL");
  }
  if (options.max_bytes < 65'536) {
    return InvalidOption(options, "max_bytes", "must be 64 KiB at least");
  }
  if (options.max_waiting == 0) {
    return InvalidOption(options, "max_waiting", "must not be 0");
  }
  if (options.max_waiting_bytes == 0) {
    return InvalidOption(options, "max_waiting_bytes", "must not be 0");
  }
  if (options.busy_timeout < milliseconds(0)) {
    return InvalidOption(options, "busy_timeout", "must not be negative");
  }
  return std::unique_ptr<SqliteStore>(new LetterStore(std::move(options)));
}

LetterStore::LetterStore(SqliteStoreOptions options)
    : options_(std::move(options)),
      wait_for_lock_([this](int tried) { return WaitForLock(tried); }) {}

LetterStore::~LetterStore() { Stop(milliseconds(0)); }

Error LetterStore::StoreError(ErrorCode code, std::string_view why) const {
  return {code, "dead letters '" + options_.name + "': " + std::string(why)};
}

Result<void> LetterStore::Start() {
  if (auto lasting = CheckLasting(options_); !lasting) return lasting;
  auto opened = Open();
  if (!opened && opened.error().code == ErrorCode::kInvalidConfig) {
    return opened;
  }
  writer_ = std::jthread([this] {
    // Signals are for the program's own threads.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    Run(give_up_.get_token());
  });
  return {};
}

void LetterStore::Bury(DeadLetter letter, SendCompletion completion) noexcept {
  const std::size_t bytes = LetterSize(letter);
  if (bytes > std::min(options_.max_bytes / 2, kLargestLetter)) {
    completion.Complete(StoreError(
        ErrorCode::kTooLarge, std::to_string(bytes) +
                                  " bytes are over half of `max_bytes` (" +
                                  std::to_string(options_.max_bytes) + ")"));
    return;
  }
  Error refused{ErrorCode::kOverloaded, {}};
  {
    const MutexLock lock(mutex_);
    if (stopping_) {
      refused = StoreError(ErrorCode::kUnavailable, "it has been stopped");
    } else if (count_ >= options_.max_waiting) {
      refused = StoreError(ErrorCode::kOverloaded,
                           "`max_waiting` letters are waiting already");
    } else if (count_ > 0 && bytes_ + bytes > options_.max_waiting_bytes) {
      refused = StoreError(ErrorCode::kOverloaded,
                           "`max_waiting_bytes` are waiting already");
    } else {
      ++count_;
      bytes_ += bytes;
      waiting_.push_back({std::move(letter), std::move(completion), bytes});
      changed_.notify_all();
      return;
    }
  }
  completion.Complete(std::move(refused));
}

void LetterStore::Stop(milliseconds grace) noexcept {
  // Not of what may be past the end of time.
  const auto most = std::min<milliseconds>(grace, std::chrono::hours(24));
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
    if (writer_.joinable()) {
      changed_.wait_for(mutex_, most, [this]() CIRRO_REQUIRES(mutex_) {
        return count_ == 0;
      });
    }
  }
  give_up_.request_stop();
  if (writer_.joinable()) writer_.join();
  for (Waiting& one : TakeAll()) {
    one.completion.Complete(
        StoreError(ErrorCode::kUnavailable, "it has been stopped"));
  }
  Close();
}

std::vector<LetterStore::Waiting> LetterStore::TakeAll() {
  const MutexLock lock(mutex_);
  return std::exchange(waiting_, {});
}

std::vector<LetterStore::Waiting> LetterStore::WaitForSome(
    const std::stop_token& stop) {
  const MutexLock lock(mutex_);
  changed_.wait(mutex_, stop, [this]() CIRRO_REQUIRES(mutex_) {
    return stopping_ || !waiting_.empty();
  });
  if (stop.stop_requested()) return {};
  return std::exchange(waiting_, {});
}

void LetterStore::Run(const std::stop_token& stop) noexcept {
  for (auto batch = WaitForSome(stop); !batch.empty();
       batch = WaitForSome(stop)) {
    const auto written = Write(batch);
    const std::size_t kept = written ? *written : 0;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      Result<void> result;
      if (!written) {
        result = written.error();
      } else if (i >= kept) {
        result = StoreError(ErrorCode::kOverloaded,
                            options_.path + " has its `max_bytes` (" +
                                std::to_string(options_.max_bytes) +
                                "): redrive or purge what is in it");
      }
      bytes += batch[i].bytes;
      batch[i].completion.Complete(std::move(result));
    }
    const MutexLock lock(mutex_);
    count_ -= batch.size();
    bytes_ -= bytes;
    changed_.notify_all();
  }
}

bool LetterStore::WaitForLock(int tried) noexcept {
  const auto now = std::chrono::steady_clock::now();
  if (tried == 0) locked_since_ = now;
  if (now - locked_since_ >= options_.busy_timeout) return false;
  Mutex mutex;
  std::condition_variable_any never;
  const MutexLock lock(mutex);
  never.wait_for(mutex, give_up_.get_token(), kLockPoll, [] { return false; });
  return !give_up_.stop_requested();
}

Result<void> LetterStore::Open() {
  auto file = OpenLetters(options_, Absent::kMake, wait_for_lock_);
  if (!file) return file.error();
  file_ = *std::move(file);
  sqlite3* const database = file_->database.get();
  const auto prepare = [database](std::optional<Statement>& into,
                                  std::string_view sql) -> Result<void> {
    auto statement = Statement::Prepare(database, sql);
    if (!statement) return statement.error();
    into = *std::move(statement);
    return {};
  };
  auto ready = prepare(insert_, kInsertLetter);
  if (ready) {
    ready = prepare(used_,
                    "SELECT (page_count - freelist_count) * page_size FROM "
                    "pragma_page_count, pragma_freelist_count, "
                    "pragma_page_size");
  }
  if (ready) {
    ready = prepare(forget_,
                    "DELETE FROM letters WHERE id IN (SELECT id FROM letters "
                    "WHERE redriven IS NOT NULL ORDER BY id LIMIT 16)");
  }
  if (!ready) Close();
  return ready;
}

void LetterStore::Close() noexcept {
  forget_.reset();
  used_.reset();
  insert_.reset();
  file_.reset();
}

Result<std::size_t> LetterStore::Write(std::span<const Waiting> batch) {
  if (file_ && !IsStillThere(*file_, options_)) Close();
  if (!file_) {
    if (auto opened = Open(); !opened) {
      return StoreError(ErrorCode::kUnavailable, opened.error().message);
    }
  }
  sqlite3* const database = file_->database.get();
  // IMMEDIATE: a lock that was taken late could not be waited for.
  auto begun = Execute(database, "BEGIN IMMEDIATE");
  Result<std::size_t> kept = begun ? Insert(batch) : begun.error();
  bool tried_commit = false;
  if (kept) {
    auto done = Execute(database, "COMMIT");
    if (done) return kept;
    kept = done.error();
    tried_commit = true;
  }
  const int why = sqlite3_errcode(database) & 0xFF;
  if (why == SQLITE_BUSY) {
    kept = Error{ErrorCode::kUnavailable,
                 "locked by another process for longer than `busy_timeout`"};
  }
  // A full disk stops a commit before its last step, as a lock does; and what
  // can be rolled back was not committed.
  const bool undone = Execute(database, "ROLLBACK").has_value();
  const bool known =
      !tried_commit || undone || why == SQLITE_FULL || why == SQLITE_BUSY;
  // What a fault leaves in a connection's memory is not to be trusted.
  if (why != SQLITE_BUSY) Close();
  if (!known) {
    return StoreError(ErrorCode::kUnknownOutcome,
                      options_.path + ": " + kept.error().message);
  }
  return StoreError(kept.error().code,
                    options_.path + ": " + kept.error().message);
}

Result<std::size_t> LetterStore::Insert(std::span<const Waiting> batch) {
  std::size_t kept = 0;
  for (const Waiting& one : batch) {
    const auto room = HasRoom(PagesOf(one.bytes));
    if (!room) return room.error();
    // Those behind it may be smaller, but their senders wait in order.
    if (!*room) break;
    if (auto inserted = InsertLetter(*insert_, one.letter); !inserted) {
      return inserted.error();
    }
    ++kept;
  }
  return kept;
}

Result<bool> LetterStore::HasRoom(std::size_t bytes) {
  for (;;) {
    const auto row = used_->Step();
    if (!row) return row.error();
    const auto used = static_cast<std::uint64_t>(used_->Integer(0));
    used_->Reset();
    if (used + bytes <= options_.max_bytes) return true;
    if (auto forgot = forget_->Run(); !forgot) return forgot.error();
    if (sqlite3_changes(file_->database.get()) == 0) return false;
  }
}

}  // namespace cirro::internal::sqlite
