#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/consumer_groups.h"
#include "cirro/nats/nats.h"
#include "handles.h"
#include "server_words.h"

namespace cirro::internal::nats {

/// Makes and asks for the durable consumer of one inlet. Calls wait for the
/// server; one thread at a time.
class Consumer {
 public:
  explicit Consumer(const JetStreamInletOptions& options);

  /// The consumer as it is there; makes it where it is not and `options` say
  /// so. One that is made again, because it or its stream was deleted, begins
  /// behind what all had settled by then.
  Result<ConsumerFacts> CreateOrBind(natsConnection* connection);
  /// Deletes it and makes it anew, to begin at `to`.
  Result<ConsumerFacts> MakeAnew(natsConnection* connection,
                                 const SeekPoint& to,
                                 std::chrono::milliseconds patience);
  /// What `info` says is remembered, for one that is made again.
  void Heard(const ConsumerFacts& facts) noexcept {
    ack_floor_ = facts.ack_floor;
  }

  [[nodiscard]] const std::string& prefix() const noexcept { return prefix_; }
  /// Where requests for messages and for facts go.
  [[nodiscard]] const std::string& next_subject() const noexcept {
    return next_subject_;
  }
  [[nodiscard]] const std::string& info_subject() const noexcept {
    return info_subject_;
  }

 private:
  struct Start {
    jsDeliverPolicy policy;
    std::uint64_t sequence = 0;
    std::int64_t time = 0;
  };
  [[nodiscard]] Start FirstStart() const;
  [[nodiscard]] Result<Start> NextStart(jsCtx* js);
  [[nodiscard]] bool Exists(jsCtx* js) const;
  Result<ConsumerFacts> Make(jsCtx* js, const Start& start);
  [[nodiscard]] Result<NatsHandle<jsCtx>> Context(
      natsConnection* connection, std::chrono::milliseconds patience) const;
  [[nodiscard]] Error Explained(const std::string& what, natsStatus status,
                                jsErrCode code) const;

  const JetStreamInletOptions& options_;
  const std::string prefix_;
  const std::string next_subject_;
  const std::string info_subject_;
  std::int64_t stream_created_ = 0;  // 0: the consumer was never seen.
  std::uint64_t ack_floor_ = 0;
};

}  // namespace cirro::internal::nats
