#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "cirro/cloudevents/error.h"
#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"
#include "cirro/cloudevents/timestamp.h"
#include "cirro/dispatch/message.h"
#include "cirro/dispatch/outlet.h"

namespace cirro {

enum class DeadReason : std::uint8_t {
  kExhausted,  ///< Every attempt failed.
  kRejected,   ///< The function, or its schema, says never.
  kMalformed,  ///< It is no event.
  kUnmatched,  ///< No function takes it.
  kCrashed,    ///< The process died over it, time and again.
};

/// "exhausted", "rejected", ...
[[nodiscard]] CIRRO_EXPORT std::string_view ToString(
    DeadReason reason) noexcept;

/// Why and whence a message is a dead letter: what its `cirro-dlq-*` headers
/// say.
struct DeadLetterFacts {
  DeadReason reason = DeadReason::kExhausted;
  std::string function{};  ///< Empty where it was for none.
  std::string inlet{};
  std::string position{};  ///< In the source: "orders/3@1234".
  int attempts = 0;
  /// "function_failed: why", 1 KiB at most each.
  std::string first_error{};
  std::string last_error{};
  std::optional<Timestamp> time{};  ///< When it was given up.

  bool operator==(const DeadLetterFacts&) const = default;
};

/// A message that is kept aside: as it came, and why.
struct DeadLetter {
  std::variant<Event, Malformed> content = Malformed{};
  /// Shared with the delivery, which may still be in use; never changed.
  std::shared_ptr<const Original> original{};
  std::string key{};  ///< The source's own ordering key.
  DeadLetterFacts facts{};
};

/// The headers that a message which is a dead letter carries beside its own:
///
///   cirro-dlq-reason, -function, -inlet, -position, -attempts, -first-error,
///   -last-error, -time (RFC 3339)
///
/// Values are UTF-8 without control characters; empty ones are left out.
[[nodiscard]] CIRRO_EXPORT MessageHeaders
DeadLetterHeaders(const DeadLetterFacts& facts);

/// What those headers say; names in any letter case, others are passed over.
/// Nothing where there is no `cirro-dlq-reason`. Fails with kInvalidEvent
/// where one has a value that it cannot have.
[[nodiscard]] CIRRO_EXPORT Result<std::optional<DeadLetterFacts>>
ParseDeadLetterHeaders(const MessageHeaders& headers);

/// Whether a message header of that name says that it is, or was, a dead
/// letter: a redrive sends the others again.
[[nodiscard]] CIRRO_EXPORT bool IsDeadLetterHeader(
    std::string_view name) noexcept;

/// The header of a redriven message that names the one function it is for.
inline constexpr std::string_view kRedriveHeader = "cirro-redrive-function";

/// The event that stands for a dead letter where only events can be sent: the
/// letter's own with Knative's extensions `knativeerrorcode`,
/// `knativeerrordata` and `knativeerrordest` (the function), and ours
/// `cirrodlqreason`, `cirrodlqinlet`, `cirrodlqposition`, `cirrodlqattempts`.
/// What is malformed is the data of an event of type `dev.cirro.malformed`.
[[nodiscard]] CIRRO_EXPORT Result<Event> DeadLetterEvent(
    const DeadLetter& letter);

/// Where dead letters are kept: a topic, a stream, a file, an HTTP sink.
class CIRRO_EXPORT DeadLetterPlace {
 public:
  DeadLetterPlace() = default;
  DeadLetterPlace(const DeadLetterPlace&) = delete;
  DeadLetterPlace& operator=(const DeadLetterPlace&) = delete;
  virtual ~DeadLetterPlace() = default;

  /// As in logs, metrics and `dead_letter`: the outlet's name.
  [[nodiscard]] virtual std::string_view place_name() const noexcept = 0;

  /// Keeps the letter and completes when it is safe: what it stands for is
  /// then forgotten. Completes with kTooLarge or kRefused where this letter can
  /// never be kept here, else as Outlet::Send. Never blocks; any thread.
  virtual void Bury(DeadLetter letter, SendCompletion completion) noexcept = 0;
};

}  // namespace cirro
