#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string_view>

#include "cirro/dispatch/executor.h"
#include "cirro/dispatch/observer.h"
#include "cirro/http/codec.h"
#include "log.h"
#include "metrics.h"
#include "said_once.h"

namespace cirro::internal {

/// What an operator is told of deliveries and calls: everything is counted,
/// what went wrong is logged, with the event's id and its trace's.
class Reporter final : public Observer {
 public:
  /// `end` is run when a part has failed for good: the process is to end.
  /// REQUIRES: all of them outlive *this.
  Reporter(Metrics& metrics, Logger& logger, const Clock& clock, Task end = {})
      : metrics_(metrics), logger_(logger), clock_(clock), end_(end) {}

  void Received(const Delivery& delivery) noexcept override;
  void Started(std::string_view function, const Delivery& delivery,
               int attempt) noexcept override;
  void Finished(std::string_view function, const Delivery& delivery,
                Outcome::Kind outcome, const Error* error,
                Duration took) noexcept override;
  void Settled(const Delivery& delivery, const Settlement& settlement,
               Duration since_received) noexcept override;
  void Hung(std::string_view function,
            const Delivery& delivery) noexcept override;
  void Retrying(std::string_view function, const Delivery& delivery,
                int next_attempt,
                std::chrono::milliseconds delay) noexcept override;
  void Kept(std::string_view function, const Delivery& delivery,
            DeadReason reason, const Error& error) noexcept override;
  void Dropped(std::string_view function, const Delivery& delivery,
               DeadReason reason, const Error& error) noexcept override;
  void Buried(const DeadLetterFacts& facts, const Delivery& delivery,
              std::string_view place) noexcept override;
  void NotBuried(const DeadLetterFacts& facts, const Delivery& delivery,
                 std::string_view place, const Error& error,
                 bool stalled) noexcept override;
  void Duplicate(std::string_view function,
                 const Delivery& delivery) noexcept override;
  void Lost(std::string_view part, std::uint64_t messages) noexcept override;
  void Held(std::string_view part, std::string_view partition,
            bool waits) noexcept override;
  void Noted(LogLevel level, std::string_view part,
             std::string_view message) noexcept override;
  void Failed(std::string_view part, const Error& error) noexcept override;
  void Logged(LogLevel level, std::string_view function, const Event* event,
              const TraceContext& trace,
              std::string_view message) noexcept override;

  /// Whether a part has failed for good. Any thread.
  [[nodiscard]] bool failed() const noexcept { return part_failed_; }

  /// `event` broke a rule and was taken. Any thread.
  void Forgiven(Leniency forgiven, const Event& event) noexcept;

 private:
  void Report(LogLevel level, std::string_view message,
              std::string_view function, const Delivery& delivery,
              const Error* error, std::size_t left_out = 0,
              std::string_view reason = {},
              std::string_view place = {}) noexcept;
  void ReportGivenUp(LineQuota& quota, LogLevel level, std::string_view message,
                     std::string_view function, const Delivery& delivery,
                     const Error* error, DeadReason reason,
                     std::string_view place) noexcept;
  void ReportWithin(LineQuota& quota, LogLevel level, std::string_view message,
                    std::string_view function, const Delivery& delivery,
                    const Error& error) noexcept;

  Metrics& metrics_;
  Logger& logger_;
  const Clock& clock_;
  SaidOnce unmatched_;
  SaidOnce forgiven_;
  LineQuota failed_;
  LineQuota undone_;
  LineQuota invalid_;
  LineQuota refused_;
  LineQuota retried_;
  LineQuota given_up_;
  LineQuota not_buried_;
  LineQuota noted_;
  const Task end_;
  std::atomic<bool> part_failed_{false};
};

}  // namespace cirro::internal
