#pragma once

#include <cstdint>
#include <string>

#include "ack_reply.h"
#include "cirro/cloudevents/result.h"
#include "cirro/nats/nats.h"
#include "handles.h"

namespace cirro::internal::nats {

/// How often a suspect was begun and no end of it was seen: kept in a stream,
/// so that a process which dies over it is counted by the next. One message a
/// suspect, `cirro.crashes.STREAM.CONSUMER.SEQUENCE`; after a week it is gone.
/// Calls wait for the server; one thread at a time.
class CrashJournal {
 public:
  CrashJournal(const JetStreamInletOptions& options, std::string api_prefix);

  /// How often the message was begun before this.
  Result<int> Begin(natsConnection* connection, const AckReply& message);
  /// It ended, however: it did not kill. Waits for nothing.
  void End(natsConnection* connection, const AckReply& message) noexcept;

 private:
  [[nodiscard]] std::string SubjectOf(const AckReply& message) const;
  Result<void> MakeStream(jsCtx* js) const;

  const JetStreamInletOptions& options_;
  const std::string api_prefix_;
};

}  // namespace cirro::internal::nats
