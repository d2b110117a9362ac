#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string_view>

#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/delivery.h"

namespace cirro {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

/// What stands behind a Context: the dispatcher. Not for function authors.
class CIRRO_EXPORT ContextHost {
 public:
  ContextHost() = default;
  ContextHost(const ContextHost&) = delete;
  ContextHost& operator=(const ContextHost&) = delete;
  virtual ~ContextHost() = default;

  /// `event` is null where the line is about no single one.
  virtual void Log(LogLevel level, std::string_view function,
                   const Event* event, const TraceContext& trace,
                   std::string_view message) noexcept = 0;
  /// Of the call that Facts::call names.
  virtual Result<void> Publish(std::uint64_t call, std::string_view outlet,
                               std::span<const Event> events,
                               TimePoint deadline) noexcept = 0;
  /// The stop token of the call that Facts::call names; asked for once, when
  /// the function first wants it, because most never do.
  virtual std::stop_token StopToken(std::uint64_t call) noexcept;
};

/// What the runtime tells a function about one call, and what the function
/// may ask of it. Valid during the call; an asynchronous function's Context
/// lives as long as its Completion. One thread at a time.
class CIRRO_EXPORT Context {
 public:
  struct Facts {
    std::string_view function;
    std::string_view inlet;
    int attempt = 1;
    TimePoint deadline = TimePoint::max();
    std::uint64_t call = 0;               ///< 0: it has no name.
    const TraceContext* trace = nullptr;  ///< Null: there is none.
  };

  /// `event` is null in a batch, which is about several. REQUIRES: all that is
  /// passed outlives *this.
  Context(ContextHost& host, const Event* event, Facts facts) noexcept;

  [[nodiscard]] std::string_view function() const { return facts_.function; }
  /// The inlet's name: "http", or NAME of `[inlet.NAME]`.
  [[nodiscard]] std::string_view inlet() const { return facts_.inlet; }
  /// 1 on the first delivery, as far as the source can tell.
  [[nodiscard]] int attempt() const { return facts_.attempt; }
  [[nodiscard]] TimePoint deadline() const { return facts_.deadline; }
  /// Set when the deadline passes, or the grace time of a drain. Never set for
  /// an inline function, which does not block.
  [[nodiscard]] std::stop_token stop_token() const noexcept;
  [[nodiscard]] const TraceContext& trace() const noexcept;

  /// A log line that carries the event's id and the trace's; in a batch, which
  /// has several, it carries neither.
  void Log(LogLevel level, std::string_view message) const noexcept;
  /// One that is about `event`, of a batch.
  void Log(LogLevel level, const Event& event,
           std::string_view message) const noexcept;

  /// Sends to the outlet called `outlet` and waits until it has confirmed, the
  /// deadline at the latest. Of an event whose inlet is exactly-once it waits
  /// for nothing: what is published is sent with the settlement, if the call
  /// succeeds, and else never. Fails with kInvalidConfig for an unknown outlet,
  /// else as Outlet::Send. kInternal from an inline function: it may not wait.
  Result<void> Publish(std::string_view outlet, const Event& event) const;
  /// All of them; the first failure, if any, when all are over.
  Result<void> PublishAll(std::string_view outlet,
                          std::span<const Event> events) const;

 private:
  ContextHost* host_;
  const Event* event_;
  Facts facts_;
  mutable std::stop_token stop_{};
};

}  // namespace cirro
