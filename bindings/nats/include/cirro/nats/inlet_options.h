#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "cirro/cloudevents/decode_options.h"
#include "cirro/cloudevents/timestamp.h"
#include "cirro/nats/connection.h"

namespace cirro {

/// A durable pull consumer of a JetStream stream: at least once.
struct JetStreamInletOptions {
  enum class Create : std::uint8_t { kCreateOrBind, kBind };
  enum class Deliver : std::uint8_t {
    kAll,
    kNew,
    kLast,
    kByStartSequence,
    kByStartTime
  };

  std::string name = "nats";  ///< InletInfo::name.
  NatsConnection connection{};
  std::string stream{};
  std::string durable{};  ///< The consumer; shared by all who name it.
  /// Of subjects; empty: all of the stream's. One that is there must have it.
  std::string filter{};
  /// kBind: the consumer must be there; nothing is made or changed.
  Create create = Create::kCreateOrBind;

  // Of a consumer that is made. One that is there must have no shorter ack_wait
  // and, where strict order is wanted, max_ack_pending 1.
  Deliver deliver = Deliver::kAll;
  std::uint64_t start_sequence = 0;
  Timestamp start_time{};
  std::chrono::milliseconds ack_wait{30'000};
  /// Open messages of all processes together. 1: strictly in order.
  int max_ack_pending = 1'000;
  int replicas = 0;             ///< 0: as the stream.
  bool memory_storage = false;  ///< Its state is lost with the server.

  /// An acknowledgement counts when the server has confirmed it.
  bool double_ack = false;
  int batch = 256;  ///< Messages that one request asks for, at most.
  std::chrono::milliseconds expires{30'000};   ///< Of such a request.
  std::chrono::milliseconds heartbeat{5'000};  ///< Half of it at most.
  std::string domain{};                        ///< Of JetStream; or
  std::string api_prefix{};                    ///< instead of "$JS.API".

  std::uint32_t max_in_flight = 1'000;  ///< InletInfo.
  std::size_t max_bytes = 64 << 20;     ///< InletInfo.
  /// Processes that may die over one message, once it is run alone because two
  /// may have, before it is never run again.
  int max_crashes = 3;
  /// Where it is kept which message is run that may have killed a process; made
  /// when there is first one to run.
  std::string crash_stream = "CIRRO_CRASHES";
  DecodeOptions decode{};
};

/// A core NATS subscription: at most once. What is not settled is lost, and so
/// is what comes while nobody listens or, with a full inlet, too fast.
struct CoreNatsInletOptions {
  std::string name = "nats";
  NatsConnection connection{};
  std::string subject{};  ///< May have wildcards.
  std::string queue{};    ///< Group: each message to one of its members.
  std::uint32_t max_in_flight = 1'000;
  std::size_t max_bytes = 64 << 20;
  DecodeOptions decode{};
};

}  // namespace cirro
