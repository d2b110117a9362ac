#pragma once

#include <memory>

#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/inlet.h"
#include "cirro/dispatch/letter_box.h"
#include "cirro/dispatch/observer.h"
#include "cirro/dispatch/outlet.h"
#include "cirro/dispatch/replay.h"
#include "cirro/kafka/inlet_options.h"
#include "cirro/kafka/outlet_options.h"

namespace cirro {

/// What was redriven of a topic of dead letters is committed for this group,
/// with the OffsetMap in the metadata. Nobody may be a member of it.
inline constexpr const char* kKafkaLetterGroup = "cirro-dlq";

/// What the module "kafka" offers: an Inlet and an Outlet on librdkafka.
///
/// The inlet is a member of a consumer group. It commits the contiguous prefix
/// of what is settled and nothing else; what is done above it is in the
/// commit's metadata, with how often each was tried and whether the process
/// died over it. Its capabilities: Seekable, ConsumerGroups, PartitionOrdered,
/// Batched, LagReporter, Linked, KeepsAttempts; Transactional with
/// exactly_once. Kafka has no redelivery after a delay, and no deadline for
/// what is open.
///
/// The outlet confirms by the broker's delivery report, written by all replicas
/// in sync, and is a DeadLetterPlace: a letter goes to the partition that it
/// came from if the topic has as many. How a send fails:
///
///   kUnavailable     not written: no broker, no leader, too few replicas
///   kTimedOut        sent, and not confirmed within `timeout`
///   kUnknownOutcome  sent, and the connection or the producer went before
///   kOverloaded      max_in_flight
///   kUnroutable      there is no such topic
///   kTooLarge        over the client's or the topic's limit
///   kRefused         not authorised, or against the topic's policy
///
/// What is passed outlives what is made.
struct KafkaApi {
  static constexpr const char* kKind = "kafka";

  /// Fail with kInvalidConfig, naming the option.
  Result<std::unique_ptr<Inlet>> (*make_inlet)(KafkaInletOptions options,
                                               const Clock& clock,
                                               Observer& observer);
  Result<std::unique_ptr<Outlet>> (*make_outlet)(KafkaOutletOptions options,
                                                 const Clock& clock,
                                                 Observer& observer);

  /// The letters in an outlet's topic, in the order of their sources; their ids
  /// are "partition@offset". Records are forgotten from the beginning of a
  /// partition only. At most a million letters are met in one walk.
  Result<std::unique_ptr<LetterBox>> (*open_box)(
      const KafkaOutletOptions& options, Observer& observer);
  /// Back to the topics of an inlet: to the partition that a letter came from
  /// where there is one.
  Result<std::unique_ptr<LetterReturn>> (*open_return)(
      const KafkaInletOptions& options, const Clock& clock, Observer& observer);

  /// What an inlet's topics still have, about 2 MiB of each partition at a time
  /// in memory; nothing is asked of its group.
  Result<std::unique_ptr<Replay>> (*open_replay)(
      const KafkaInletOptions& options, ReplayRange range, Observer& observer);
};

}  // namespace cirro
