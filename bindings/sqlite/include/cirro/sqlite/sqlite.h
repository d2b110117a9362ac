#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/dead_letter.h"
#include "cirro/dispatch/letter_box.h"

namespace cirro {

/// A file of dead letters, and how it is used.
struct SqliteStoreOptions {
  std::string name = "file";  ///< DeadLetterPlace::place_name.
  /// The file; made with mode 0600 where there is none. Its folder exists.
  std::string path{};
  /// It may go with the container: no question is asked where it lies.
  bool ephemeral = false;
  /// The file's largest size. At it, letters that were redriven are forgotten,
  /// the oldest first; then new ones are refused (kOverloaded).
  std::uint64_t max_bytes = std::uint64_t{1} << 30;
  /// How long another process may hold the file's lock before a commit fails.
  std::chrono::milliseconds busy_timeout{5'000};
  /// Letters, and their bytes, that wait to be written at most; more are
  /// refused (kOverloaded).
  std::size_t max_waiting = 1'024;
  std::size_t max_waiting_bytes = std::size_t{64} << 20;

  /// Where the process runs, from whoever may ask: the value of K_SERVICE
  /// (empty: none), and the text of /proc/self/mountinfo.
  std::string k_service{};
  std::string mounts{};
};

/// Dead letters in one SQLite file: rollback journal, synchronous=FULL. One
/// thread of its own writes what waits in one transaction, and a letter is
/// confirmed after the commit. Several processes may share a file on a file
/// system with locks. How a Bury fails:
///
///   kUnavailable     locked, disk full, read-only, no or a broken file: it is
///                    tried anew for the next letter
///   kOverloaded      max_bytes, max_waiting, max_waiting_bytes
///   kTooLarge        over half of max_bytes, or of what SQLite can hold
///   kUnknownOutcome  the commit itself failed
class CIRRO_EXPORT SqliteStore : public DeadLetterPlace {
 public:
  /// Opens the file, or makes it. Fails with kInvalidConfig, naming the
  /// setting: an unusable path, another's file, one that others may read, no
  /// file of letters, one of a later version, or one that would be lost with
  /// the container. A lock or a full disk is waited for by Bury.
  virtual Result<void> Start() = 0;

  /// Writes what waits, as long as `grace`; fails the rest; closes.
  /// Idempotent.
  virtual void Stop(std::chrono::milliseconds grace) noexcept = 0;
};

/// What the module "sqlite" offers.
struct SqliteApi {
  static constexpr const char* kKind = "sqlite";

  /// Fails with kInvalidConfig, naming the option; touches no file.
  Result<std::unique_ptr<SqliteStore>> (*make_store)(
      SqliteStoreOptions options);
  /// The letters in an existing file, also while a process writes to it. Of
  /// the options, name, path and busy_timeout count. Fails as Start.
  Result<std::unique_ptr<LetterBox>> (*open_box)(
      const SqliteStoreOptions& options);
};

}  // namespace cirro
