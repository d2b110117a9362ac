#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "cirro/cloudevents/content_mode.h"
#include "cirro/cloudevents/decode_options.h"
#include "cirro/cloudevents/result.h"
#include "cirro/cloudevents/timestamp.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/inlet.h"
#include "cirro/dispatch/letter_box.h"
#include "cirro/dispatch/observer.h"
#include "cirro/dispatch/outlet.h"
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
  std::string filter{};   ///< Of subjects; empty: all of the stream's.
  /// kBind: the consumer must be there; nothing is made or changed.
  Create create = Create::kCreateOrBind;

  // Of a consumer that is made.
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
  /// Processes that may die over one message before it is never run again.
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

struct NatsOutletOptions {
  std::string name = "nats";  ///< Outlet::name.
  NatsConnection connection{};
  std::string subject{};
  /// False: core NATS. Then a send is confirmed when the server has it, also
  /// where nobody listens.
  bool jetstream = true;
  /// kStructured is what peers of 1.0.2 know; kBinary needs NATS 2.2.
  ContentMode mode = ContentMode::kStructured;
  std::size_t max_in_flight = 1'024;  ///< More are refused (kOverloaded).
  std::chrono::milliseconds timeout{5'000};  ///< From Send to its answer.
  std::string expected_stream{};  ///< That keeps the subject; empty: any.
  /// Each event has a message id of its source and id, so that the stream keeps
  /// it once within its own duplicate window, which this must name.
  bool message_ids = true;
  std::chrono::milliseconds duplicate_window{120'000};
};

/// What the module "nats" offers. An inlet or outlet waits for servers that are
/// away. REQUIRES: the clock and the observer outlive what is made.
///
/// How a send fails: kUnroutable (no stream keeps the subject), kTooLarge,
/// kRefused (the stream says no), kOverloaded, kTimedOut, kUnavailable (not
/// connected within the timeout; nothing was sent), kUnknownOutcome.
struct NatsApi {
  static constexpr const char* kKind = "nats";

  /// Each fails with kInvalidConfig, naming the option.
  Result<std::unique_ptr<Inlet>> (*make_jetstream_inlet)(
      JetStreamInletOptions options, const Clock& clock, Observer& observer);
  Result<std::unique_ptr<Inlet>> (*make_core_inlet)(
      CoreNatsInletOptions options, const Clock& clock, Observer& observer);
  Result<std::unique_ptr<Outlet>> (*make_outlet)(NatsOutletOptions options,
                                                 const Clock& clock,
                                                 Observer& observer);

  /// The letters of an outlet's subject in the stream that keeps it, in the
  /// order of their sources; their ids are sequences. One that was redriven is
  /// removed: that is its mark.
  Result<std::unique_ptr<LetterBox>> (*open_box)(
      const NatsOutletOptions& options, const Clock& clock, Observer& observer);
  /// Back to the stream of an inlet, under the subject that the message came
  /// with: of a filter without wildcards, else of the message that is still in
  /// the stream. One that is sent again within the stream's duplicate window is
  /// kept once.
  Result<std::unique_ptr<LetterReturn>> (*open_return)(
      const JetStreamInletOptions& options, const Clock& clock,
      Observer& observer);
};

}  // namespace cirro
