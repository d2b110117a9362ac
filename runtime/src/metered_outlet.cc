#include "metered_outlet.h"

#include <utility>

namespace cirro::internal {
namespace {

constexpr std::size_t kDataShown = 256;

}  // namespace

void MeteredOutlet::Send(Event event, SendCompletion completion) noexcept {
  std::uint64_t place = 0;
  {
    const MutexLock lock(mutex_);
    if (free_.empty()) {
      place = open_.size();
      open_.emplace_back();
    } else {
      place = free_.back();
      free_.pop_back();
    }
    open_[place].emplace(Open{event, std::move(completion), clock_.Now()});
  }
  outlet_.Send(std::move(event), SendCompletion(*this, place));
}

void MeteredOutlet::OnSent(std::uint64_t send, Result<void> result,
                           std::chrono::milliseconds retry_after) noexcept {
  std::optional<Open> ended;
  {
    const MutexLock lock(mutex_);
    ended.emplace(*std::move(open_[send]));
    open_[send].reset();
    free_.push_back(send);
  }
  metrics_.Sent(outlet_.name(), result ? nullptr : &result.error(),
                clock_.Now() - ended->begin);
  if (result && logger_.Takes(LogLevel::kDebug)) {
    const Event& event = ended->event;
    logger_.Write(LogLevel::kDebug, "an event was sent",
                  {{"outlet", outlet_.name()},
                   {"event_id", event.id()},
                   {"event_type", event.type()},
                   {"data", event.data().substr(0, kDataShown)}});
  }
  std::size_t left_out = 0;
  if (!result && failed_.Take(clock_.Now(), left_out)) {
    const Event& event = ended->event;
    logger_.Write(LogLevel::kWarning, "an event was not taken",
                  {{"outlet", outlet_.name()},
                   {"code", ToString(result.error().code)},
                   {"error", result.error().message},
                   {"event_id", event.id()},
                   {"event_source", event.source()},
                   {"event_type", event.type()},
                   {"lines_left_out", LeftOut(left_out)}});
  }
  ended->completion.Complete(std::move(result), retry_after);
}

}  // namespace cirro::internal
