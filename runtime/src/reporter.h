#pragma once

#include <cstddef>
#include <string_view>

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
  /// REQUIRES: all of them outlive *this.
  Reporter(Metrics& metrics, Logger& logger, const Clock& clock)
      : metrics_(metrics), logger_(logger), clock_(clock) {}

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
  void Logged(LogLevel level, std::string_view function, const Event* event,
              const TraceContext& trace,
              std::string_view message) noexcept override;

  /// `event` broke a rule and was taken. Any thread.
  void Forgiven(Leniency forgiven, const Event& event) noexcept;

 private:
  void Report(LogLevel level, std::string_view message,
              std::string_view function, const Delivery& delivery,
              const Error* error, std::size_t left_out = 0) noexcept;
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
};

}  // namespace cirro::internal
