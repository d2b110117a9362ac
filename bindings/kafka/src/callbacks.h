#pragma once

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <memory>

#include "cirro/dispatch/mutex.h"
#include "handles.h"

namespace cirro::internal::kafka {

/// What librdkafka's own threads tell a consumer. They may go on after it: see
/// Abandon.
class Callbacks {
 public:
  /// REQUIRES: `voice` outlives *this, or Abandon.
  explicit Callbacks(const Voice& voice) noexcept : voice_(&voice) {}

  /// A handle that is made of `conf` tells *this.
  void Register(rd_kafka_conf_t* conf) noexcept;

  /// The member asked to join, and no rebalance came of it yet.
  std::atomic<bool> joining{false};
  /// The coordinator answered a heartbeat, and the reader has not seen it: by
  /// that a cooperative member learns that it is to join again.
  std::atomic<bool> heard{false};

  /// Destroys a handle that was not closed in time, on a thread that nobody
  /// waits for: librdkafka waits for the answer to a last commit as long as a
  /// session lasts, and for others longer, also where the broker stands still.
  static void Abandon(Handle handle,
                      std::unique_ptr<Callbacks> callbacks) noexcept;

 private:
  static void Log(const rd_kafka_t* handle, int level, const char* facility,
                  const char* text) noexcept;

  Mutex mutex_;
  const Voice* voice_ CIRRO_GUARDED_BY(mutex_);  // Null: nobody listens.
};

}  // namespace cirro::internal::kafka
