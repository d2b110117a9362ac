#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <stop_token>
#include <string>
#include <vector>

#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/link.h"
#include "cirro/dispatch/mutex.h"
#include "cirro/dispatch/observer.h"
#include "cirro/nats/connection.h"
#include "handles.h"

namespace cirro::internal::nats {

/// One connection of an inlet or outlet, which libnats makes again for ever.
/// What it says goes to the observer. Any thread, but Open and Close: one.
class Link {
 public:
  /// REQUIRES: `clock` and `observer` outlive *this. `changed` is called when
  /// it was connected or disconnected, by a thread of libnats; never blocks.
  Link(NatsConnection options, std::string part, const Clock& clock,
       Observer& observer, std::function<void()> changed = {});
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// Begins to connect. Fails with kInvalidConfig, naming the setting.
  Result<void> Open();
  /// No more calls of libnats after it, those of Listen neither: it waits for
  /// those that run, so none of them may call it.
  void Close() noexcept;

  /// Messages of `subject`, to be fetched; with `queue`, each comes to one of
  /// those who name it. Valid until Close. REQUIRES: opened.
  Result<natsSubscription*> Subscribe(const std::string& subject,
                                      const std::string& queue = {});
  /// `heard` is called with `self` and each message of `subject`, by one thread
  /// of libnats. REQUIRES: opened.
  Result<void> Listen(const std::string& subject, natsMsgHandler heard,
                      void* self);
  /// Lets go of it at Close: before 3.6 libnats reads freed memory where a
  /// message comes for a subscription that is let go (nats-io/nats.c#637).
  natsSubscription* Keep(NatsHandle<natsSubscription> subscription);
  /// No more messages of it, and none of those that it has. REQUIRES: it is of
  /// Subscribe, or kept.
  static void End(natsSubscription* subscription) noexcept;

  /// Waits until it is connected; false: `stop` was asked for, or `until` came
  /// first, or it is refused for good.
  bool WaitConnected(const std::stop_token& stop,
                     TimePoint until = TimePoint::max());
  /// Why the server lets nobody in with these credentials, ever.
  [[nodiscard]] Result<void> Refused();

  /// Why libnats did not do `what`: the refusal where there is one.
  [[nodiscard]] Error WhyNot(const std::string& what, natsStatus status);

  /// REQUIRES: opened. The connection is libnats's to be used by any thread.
  [[nodiscard]] natsConnection* get() const noexcept { return handle_.get(); }
  [[nodiscard]] LinkState state() const noexcept;
  [[nodiscard]] bool connected() const noexcept;
  /// How often it was connected so far: whoever saw another number has lost
  /// what the server knew of the connection.
  [[nodiscard]] std::uint64_t epoch() const noexcept;

 private:
  static void OnConnected(natsConnection*, void* self) noexcept;
  static void OnDisconnected(natsConnection*, void* self) noexcept;
  static void OnClosed(natsConnection*, void* self) noexcept;
  static void OnError(natsConnection*, natsSubscription*, natsStatus status,
                      void* self) noexcept;
  static void OnSilent(void* self) noexcept;
  static std::int64_t OnRetry(natsConnection*, int attempts,
                              void* self) noexcept;
  [[nodiscard]] Result<NatsHandle<natsOptions>> MakeOptions();
  void SayWhyNot(const std::string& reason);
  void Refuse(const std::string& reason) noexcept;
  void Became(LinkState::Kind kind) noexcept;

  const NatsConnection options_;
  const std::string part_;
  const Clock& clock_;
  Observer& observer_;
  const std::function<void()> on_change_;
  NatsHandle<natsConnection> handle_;

  mutable Mutex mutex_;
  std::condition_variable_any changed_;
  LinkState state_ CIRRO_GUARDED_BY(mutex_);
  std::uint64_t epoch_ CIRRO_GUARDED_BY(mutex_) = 0;
  std::string why_not_
      CIRRO_GUARDED_BY(mutex_);  // Said since it was connected.
  std::minstd_rand jitter_ CIRRO_GUARDED_BY(mutex_);
  bool closing_ CIRRO_GUARDED_BY(mutex_) = false;
  bool closed_ CIRRO_GUARDED_BY(mutex_) = false;
  int listening_ CIRRO_GUARDED_BY(mutex_) = 0;  // Threads that call `heard`.
  std::vector<NatsHandle<natsSubscription>> kept_ CIRRO_GUARDED_BY(mutex_);
  Result<void> refused_ CIRRO_GUARDED_BY(mutex_);
};

}  // namespace cirro::internal::nats
