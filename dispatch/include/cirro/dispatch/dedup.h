#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/clock.h"

namespace cirro {

/// What makes two calls the same. CloudEvents 1.0.2, 3.1.1: "Producers MUST
/// ensure that source + id is unique for each distinct event."
struct DedupKey {
  std::string_view function;
  std::string_view source;
  std::string_view id;
};

/// What is known of a key that was asked for.
enum class DedupAnswer : std::uint8_t {
  kClaimed,  ///< Nothing; it is the asker's now.
  kHeld,     ///< Somebody else is doing it.
  kDone,     ///< It was done within the window.
};

/// Who hears the answer. Outlives every claim that names it.
class CIRRO_EXPORT DedupListener {
 public:
  DedupListener() = default;
  DedupListener(const DedupListener&) = delete;
  DedupListener& operator=(const DedupListener&) = delete;
  virtual ~DedupListener() = default;

  /// Once a Claim, with its key, from any thread. An error: the store cannot be
  /// asked now.
  virtual void OnClaimed(const DedupKey& key, std::uint64_t claim,
                         Result<DedupAnswer> answer) noexcept = 0;
};

/// Which events were done, and which are being done. A key has two states, so
/// that a failure between them loses nothing: a claim runs out unless it is
/// renewed, and only what succeeded is done. Nothing here blocks; any thread.
class CIRRO_EXPORT DedupStore {
 public:
  DedupStore() = default;
  DedupStore(const DedupStore&) = delete;
  DedupStore& operator=(const DedupStore&) = delete;
  virtual ~DedupStore() = default;

  /// Asks; may answer before it returns. `claim` names the asker until Done or
  /// Release, and is used by no other of its listener.
  virtual void Claim(const DedupKey& key, std::uint64_t claim,
                     DedupListener& listener) noexcept = 0;
  /// It is still being done.
  virtual void Renew(const DedupKey& key, std::uint64_t claim) noexcept = 0;
  /// It was done; remembered for the window.
  virtual void Done(const DedupKey& key, std::uint64_t claim) noexcept = 0;
  /// It was not done, and is nobody's.
  virtual void Release(const DedupKey& key, std::uint64_t claim) noexcept = 0;
};

/// One in this process's memory, which forgets with it: for duplicates that
/// follow each other closely. Keeps at most `most` keys that are done; beyond
/// them the oldest are forgotten. REQUIRES: `clock` outlives it.
[[nodiscard]] CIRRO_EXPORT std::unique_ptr<DedupStore> MakeMemoryDedup(
    const Clock& clock, std::chrono::milliseconds window,
    std::chrono::milliseconds lease, std::size_t most);

}  // namespace cirro
