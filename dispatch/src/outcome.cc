#include "cirro/dispatch/outcome.h"

#include <iterator>

namespace cirro {

Outcome::Outcome(Event reply) : kind_(Kind::kReply) {
  replies_.emplace_back(std::move(reply));
}

Outcome::Outcome(std::vector<Event> replies)
    : kind_(replies.empty() ? Kind::kDone : Kind::kReply),
      replies_(std::make_move_iterator(replies.begin()),
               std::make_move_iterator(replies.end())) {}

Outcome Replies(std::vector<ReplyItem> items) {
  Outcome outcome;
  outcome.kind_ = items.empty() ? Outcome::Kind::kDone : Outcome::Kind::kReply;
  outcome.replies_ = std::move(items);
  return outcome;
}

Outcome Reply(EventDraft draft) {
  std::vector<ReplyItem> items;
  items.emplace_back(std::move(draft));
  return Replies(std::move(items));
}

Outcome Reply(Event event) { return {std::move(event)}; }

Outcome Retry(std::string reason) {
  Outcome outcome;
  outcome.kind_ = Outcome::Kind::kRetry;
  outcome.reason_ = std::move(reason);
  return outcome;
}

Outcome Retry(std::chrono::milliseconds after, std::string reason) {
  Outcome outcome = Retry(std::move(reason));
  outcome.after_ = after;
  return outcome;
}

Outcome Reject(std::string reason) {
  Outcome outcome;
  outcome.kind_ = Outcome::Kind::kReject;
  outcome.reason_ = std::move(reason);
  return outcome;
}

}  // namespace cirro
