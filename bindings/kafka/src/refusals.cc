#include "refusals.h"

#include <chrono>
#include <utility>

namespace cirro::internal::kafka {
namespace {

constexpr std::chrono::minutes kPause{1};

}  // namespace

std::string WhatToChange(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      return "; see `security`, `sasl`, `username` and `password`";
    case RD_KAFKA_RESP_ERR__SSL:
      return "; see `security`, `ca_certificates`, `verify`, `certificate` and "
             "`key`";
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      return "; see `topics`";
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_INVALID_GROUP_ID:
      return "; see `group`";
    case RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL:
      return "; see `assignor`: members of a group have one in common";
    case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
      return "; see `session_timeout`: the broker bounds it";
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
      return "; see `instance_id`: another member has it";
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return "; see `transactional_id`";
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
      return "; see `transaction_timeout`: the broker bounds it";
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
      return "; a function registered as inline must not block";
    default:
      return {};
  }
}

bool IsOfConnection(rd_kafka_resp_err_t code) noexcept {
  switch (code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
      return true;
    default:
      return false;
  }
}

void Refusals::Tell(rd_kafka_resp_err_t code, std::string_view why,
                    const Voice& voice, TimePoint now) noexcept {
  const std::string change = WhatToChange(code);
  if (change.empty()) {
    last_away_ = why;
    voice.Say(LogLevel::kInfo, why);
    return;
  }
  if (now < again_at_) return;
  again_at_ = now + kPause;
  voice.Say(LogLevel::kWarning, std::string(why) + change);
}

void Refusals::TellAway(std::string_view brokers, const Voice& voice,
                        TimePoint now) noexcept {
  if (now < again_at_) return;
  voice.Say(LogLevel::kWarning,
            "no broker of `brokers` (" + std::string(brokers) +
                ") is reached; it is tried again" +
                (last_away_.empty() ? "" : ": " + last_away_));
}

void Refusals::TellOther(rd_kafka_resp_err_t code, std::string_view why,
                         const Voice& voice, TimePoint now) noexcept {
  std::string line = std::string(why) + WhatToChange(code);
  if (line == last_other_ && now < other_again_at_) return;
  other_again_at_ = now + kPause;
  last_other_ = std::move(line);
  voice.Say(LogLevel::kWarning, last_other_);
}

}  // namespace cirro::internal::kafka
