#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "cirro/dispatch/mutex.h"
#include "cirro/dispatch/observer.h"
#include "log.h"
#include "metrics.h"

namespace cirro::internal {

/// What an operator is told of deliveries and calls: everything is counted,
/// what went wrong is logged, with the event's id and its trace's.
class Reporter final : public Observer {
 public:
  /// REQUIRES: both outlive *this.
  Reporter(Metrics& metrics, Logger& logger)
      : metrics_(metrics), logger_(logger) {}

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
  void Logged(LogLevel level, std::string_view function, const Event& event,
              const TraceContext& trace,
              std::string_view message) noexcept override;

 private:
  void Report(LogLevel level, std::string_view message,
              std::string_view function, const Delivery& delivery,
              const Error* error) noexcept;
  [[nodiscard]] bool IsNewUnmatchedType(std::string_view type) noexcept;

  Metrics& metrics_;
  Logger& logger_;
  Mutex mutex_;
  std::set<std::string, std::less<>> unmatched_types_ CIRRO_GUARDED_BY(mutex_);
};

}  // namespace cirro::internal
