#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/event_draft.h"
#include "cirro/cloudevents/export.h"

namespace cirro {

/// One answer of a function: a finished event goes out verbatim; a draft is
/// completed from the event it answers (id, time, trace, correlation).
using ReplyItem = std::variant<Event, EventDraft>;

/// What a function says of an event. Made by Done, Reply, Retry and Reject; an
/// exception is Retry.
class CIRRO_EXPORT Outcome {
 public:
  enum class Kind : std::uint8_t { kDone, kReply, kRetry, kReject };

  /// Done.
  Outcome() noexcept = default;
  // Implicit, so that a handler may `return event;`.
  Outcome(Event reply);       // NOLINT(google-explicit-constructor): see above
  Outcome(std::vector<Event>  // NOLINT(google-explicit-constructor): see above
              replies);

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] const std::vector<ReplyItem>& replies() const& {
    return replies_;
  }
  [[nodiscard]] std::vector<ReplyItem>&& replies() && {
    return std::move(replies_);
  }
  /// Why, of kRetry and kReject.
  [[nodiscard]] const std::string& reason() const { return reason_; }
  /// How long to wait at least, of kRetry, where the function knows.
  [[nodiscard]] std::optional<std::chrono::milliseconds> after() const {
    return after_;
  }

 private:
  friend CIRRO_EXPORT Outcome Replies(std::vector<ReplyItem> items);
  friend CIRRO_EXPORT Outcome Retry(std::string reason);
  friend CIRRO_EXPORT Outcome Retry(std::chrono::milliseconds after,
                                    std::string reason);
  friend CIRRO_EXPORT Outcome Reject(std::string reason);

  Kind kind_ = Kind::kDone;
  std::optional<std::chrono::milliseconds> after_{};
  std::string reason_{};
  std::vector<ReplyItem> replies_{};
};

/// The event is handled; there is nothing to say.
[[nodiscard]] inline Outcome Done() noexcept { return {}; }

/// The event is handled, and these are the answers. No items is Done.
[[nodiscard]] CIRRO_EXPORT Outcome Replies(std::vector<ReplyItem> items);

/// The event is handled, and this is the answer.
[[nodiscard]] CIRRO_EXPORT Outcome Reply(EventDraft draft);
[[nodiscard]] CIRRO_EXPORT Outcome Reply(Event event);
// Templates, because no braces deduce them: `Reply({.type = "a", .source =
// "/b"})` is one draft, and not a list of two texts that each make a draft.
template <std::same_as<std::vector<ReplyItem>> Items>
[[nodiscard]] Outcome Reply(Items items) {
  return Replies(std::move(items));
}
template <typename Item>
requires std::same_as<Item, Event> || std::same_as<Item, EventDraft>
[[nodiscard]] Outcome Reply(std::initializer_list<Item> items) {
  return Replies(std::vector<ReplyItem>(items.begin(), items.end()));
}

/// Not now: the same event again later, by the function's retry policy, but
/// not before `after` where given.
[[nodiscard]] CIRRO_EXPORT Outcome Retry(std::string reason);
[[nodiscard]] CIRRO_EXPORT Outcome Retry(std::chrono::milliseconds after,
                                         std::string reason);

/// Never: trying this event again cannot help. It goes to the dead letters.
[[nodiscard]] CIRRO_EXPORT Outcome Reject(std::string reason);

}  // namespace cirro
