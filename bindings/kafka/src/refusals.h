#pragma once

#include <librdkafka/rdkafka.h>

#include <string>
#include <string_view>

#include "cirro/dispatch/clock.h"
#include "handles.h"

namespace cirro::internal::kafka {

/// "; see `setting`": what an error may be mended by. Empty: no setting.
[[nodiscard]] std::string WhatToChange(rd_kafka_resp_err_t code);

/// Whether it says why a connection could not be made, or broke.
[[nodiscard]] bool IsOfConnection(rd_kafka_resp_err_t code) noexcept;

/// Says what a client library says again at each try: one line a minute. One
/// thread at a time.
class Refusals {
 public:
  /// A connection failed: a refusal is said, with the setting; that a broker is
  /// away is said when all are.
  void Tell(rd_kafka_resp_err_t code, std::string_view why, const Voice& voice,
            TimePoint now) noexcept;
  /// No broker is reached. Nothing where it was said that they refuse.
  void TellAway(std::string_view brokers, const Voice& voice,
                TimePoint now) noexcept;
  /// Another trouble, with the setting. Nothing where it was the last one.
  void TellOther(rd_kafka_resp_err_t code, std::string_view why,
                 const Voice& voice, TimePoint now) noexcept;

 private:
  std::string last_away_{};
  TimePoint again_at_{};  // Not before is a refusal said again.
  std::string last_other_{};
  TimePoint other_again_at_{};
};

}  // namespace cirro::internal::kafka
