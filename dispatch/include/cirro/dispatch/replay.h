#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"
#include "cirro/cloudevents/timestamp.h"
#include "cirro/dispatch/message.h"

namespace cirro {

/// Where in a source a replay begins or ends, before the message that it names.
struct ReplayPoint {
  enum class Kind : std::uint8_t {
    kBeginning,
    kEnd,        ///< As it is when the replay begins.
    kNumber,     ///< An offset of each partition, or a sequence.
    kTime,       ///< The first message that is not before it.
    kPositions,  ///< A number of each partition that is named.
  };
  using Positions = std::map<std::string, std::uint64_t, std::less<>>;

  Kind kind = Kind::kBeginning;
  std::uint64_t number = 0;
  Timestamp time{};
  Positions positions{};  ///< "orders/3" and the number in it.

  bool operator==(const ReplayPoint&) const = default;
};

/// Reads `beginning`, `end`, a number, a time of RFC 3339, or positions with
/// commas between them, `orders/3@1234,orders/4@99`. Fails with kInvalidConfig.
[[nodiscard]] CIRRO_EXPORT Result<ReplayPoint> ParseReplayPoint(
    std::string_view text);
/// What ParseReplayPoint reads.
[[nodiscard]] CIRRO_EXPORT std::string ToString(const ReplayPoint& point);

/// Which messages of a source. Of positions, those partitions alone begin that
/// `from` names; what `until` does not name ends as kEnd.
struct ReplayRange {
  ReplayPoint from{};
  ReplayPoint until{.kind = ReplayPoint::Kind::kEnd};
  std::optional<std::int32_t> partition{};  ///< Of Kafka: this one alone.
};

/// A message that is read once more.
struct ReplayedMessage {
  std::string position{};  ///< As Delivery::position: "orders/3@1234".
  Timestamp time{};        ///< Of the source: when it came there.
  std::variant<Event, Malformed> content = Malformed{};
  std::shared_ptr<const Original> original{};
};

/// Reads what a source still has of the past. It takes nothing from those who
/// work on it: no group, no durable consumer and no message is changed. Its
/// calls wait for the source; use from one thread at a time.
class CIRRO_EXPORT Replay {
 public:
  /// What is done with a message. False ends the walk there, as an error does.
  using Visit = std::function<Result<bool>(const ReplayedMessage& message)>;

  Replay() = default;
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;
  virtual ~Replay() = default;

  /// Visits what is left, in the source's order. Several partitions are merged
  /// by time, and by topic and number where times are equal; those of one
  /// partition always come in their own order. A message is passed when its
  /// visit returned true. Fails with kInvalidConfig where the range or the
  /// source is none, else with kUnavailable or kRefused.
  virtual Result<void> Walk(const Visit& visit) = 0;

  /// The range of what was not passed: a later replay of it goes on there.
  [[nodiscard]] virtual ReplayRange left() const = 0;
  /// Whether there is nothing left.
  [[nodiscard]] virtual bool ended() const = 0;
};

}  // namespace cirro
