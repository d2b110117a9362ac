#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string_view>
#include <thread>
#include <vector>

#include "cirro/dispatch/mutex.h"
#include "cirro/sqlite/sqlite.h"
#include "database.h"
#include "letters_file.h"

namespace cirro::internal::sqlite {

/// The SqliteStore. Bury from any thread; the file belongs to the writer.
class LetterStore final : public SqliteStore {
 public:
  static Result<std::unique_ptr<SqliteStore>> Make(SqliteStoreOptions options);
  ~LetterStore() override;

  [[nodiscard]] std::string_view place_name() const noexcept override {
    return options_.name;
  }
  void Bury(DeadLetter letter, SendCompletion completion) noexcept override;
  Result<void> Start() override;
  void Stop(std::chrono::milliseconds grace) noexcept override;

 private:
  struct Waiting {
    DeadLetter letter;
    SendCompletion completion;
    std::size_t bytes;
  };

  explicit LetterStore(SqliteStoreOptions options);
  [[nodiscard]] Error StoreError(ErrorCode code, std::string_view why) const;
  std::vector<Waiting> TakeAll();
  /// What waits, as soon as something does; nothing at the end.
  std::vector<Waiting> WaitForSome(const std::stop_token& stop);
  void Run(const std::stop_token& stop) noexcept;
  /// Waits for the file's lock; false when it took too long, or at the end.
  bool WaitForLock(int tried) noexcept;

  // The writer's own.
  Result<void> Open();
  void Close() noexcept;
  /// How many of `batch`, from its front, are in the file now; or why not.
  Result<std::size_t> Write(std::span<const Waiting> batch);
  Result<std::size_t> Insert(std::span<const Waiting> batch);
  Result<bool> HasRoom(std::size_t bytes);

  const SqliteStoreOptions options_;
  std::function<bool(int)> wait_for_lock_;
  std::stop_source give_up_;
  std::chrono::steady_clock::time_point locked_since_{};
  std::optional<LettersFile> file_;
  std::optional<Statement> insert_;
  std::optional<Statement> used_;
  std::optional<Statement> forget_;

  Mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<Waiting> waiting_ CIRRO_GUARDED_BY(mutex_);
  std::size_t count_ CIRRO_GUARDED_BY(mutex_) = 0;  ///< Not yet completed.
  std::size_t bytes_ CIRRO_GUARDED_BY(mutex_) = 0;
  bool stopping_ CIRRO_GUARDED_BY(mutex_) = false;

  std::jthread writer_;
};

}  // namespace cirro::internal::sqlite
