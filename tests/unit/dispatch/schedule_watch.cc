// What a schedule knows from its observer, and checks of it.

#include "schedule.h"

#include <algorithm>
#include <variant>

#include "cirro/dispatch/router.h"
#include "dispatch/src/reply.h"

namespace cirro::test {

Schedule::Key Schedule::KeyOf(const Delivery& delivery) {
  return {static_cast<std::size_t>(std::stoul(delivery.position())),
          delivery.facts.attempt, delivery.inlet().peer_waits,
          delivery.inlet().name};
}

std::size_t Schedule::IndexOf(std::string_view function) const {
  return static_cast<std::size_t>(function[1] - '0');
}

Schedule::Call& Schedule::CallOf(std::string_view function,
                                 const Delivery& delivery) {
  return open_.at(KeyOf(delivery)).calls.at(IndexOf(function));
}

void Schedule::OnReceived(const Delivery& delivery) {
  if (delivery.event() == nullptr) return;
  const auto [at, fresh] = open_.try_emplace(KeyOf(delivery));
  if (!fresh) Violated("a delivery came twice");
  Open& open = at->second;
  open.bytes = delivery.memory_size();
  for (std::size_t i = 0; i < functions_.size(); ++i) {
    const FunctionSpec& spec = functions_[i].spec;
    if (!MatchesPattern(spec.type, delivery.event()->type())) continue;
    Call& call = open.calls[i];
    call.taken_in = ++taken_in_;
    call.id = delivery.event()->id();
    call.lane = spec.order_by.kind == OrderBy::Kind::kSubject
                    ? std::string(delivery.event()->subject())
                    : delivery.facts.key;
  }
}

void Schedule::OnStarted(std::string_view name, const Delivery& delivery) {
  const std::size_t index = IndexOf(name);
  const Key key = KeyOf(delivery);
  FunctionState& function = functions_[index];
  Call& call = open_.at(key).calls.at(index);
  const Open& open = open_.at(key);
  if (open.settled && !open.expired) {
    Violated("a settled delivery's call began");
  }
  if (call.running) Violated("a call runs twice");
  if (call.done && !call.replied) {
    Violated("a call ran again after it succeeded");
  }
  CheckLane(key, index, call);
  if (function.spec.dedup) {
    const std::string id(delivery.event()->id());
    if (function.did.contains(id)) Violated("a duplicate of a done one began");
    if (++function.doing[id] > 1) Violated("a duplicate began beside another");
  }
  call.begun = call.running = true;
  if (function.form != Handler::Form::kBatch) ++function.running;
  CheckConcurrency();
}

void Schedule::CheckConcurrency() {
  for (const FunctionState& function : functions_) {
    if (function.spec.concurrency == 0) continue;
    if (function.running <= function.spec.concurrency) continue;
    Violated(function.form == Handler::Form::kBatch
                 ? "more batches at once than `concurrency`"
                 : "more calls at once than `concurrency`");
  }
}

void Schedule::CheckLane(const Key& key, std::size_t index, const Call& call) {
  if (call.lane.empty()) return;
  for (const auto& [other_key, other] : open_) {
    if (other_key == key) continue;
    const auto found = other.calls.find(index);
    if (found == other.calls.end()) continue;
    const Call& earlier = found->second;
    if (earlier.lane != call.lane) continue;
    // Two sources have no order between them.
    const bool unfinished =
        !other.settled && !earlier.done && other_key.inlet == key.inlet;
    if (earlier.running || (unfinished && earlier.taken_in < call.taken_in &&
                            !EndedForGood(other_key, index, earlier))) {
      Violated("lane '" + call.lane + "' of " + functions_[index].spec.name +
               " was passed by message " + std::to_string(key.message) +
               ": message " + std::to_string(other_key.message) + " attempt " +
               std::to_string(other_key.attempt) +
               (other_key.waits ? ", its peer waits" : "") +
               (earlier.begun ? ", begun" : "") +
               (earlier.running ? ", running" : "") +
               (draining_ ? ", draining" : ""));
    }
  }
}

bool Schedule::EndedForGood(const Key& key, std::size_t index,
                            const Call& call) {
  const FunctionState& function = functions_[index];
  if (key.waits && (call.begun || function.spec.dedup)) return !call.running;
  // One that hung was given back, if its source gives it to somebody else.
  return draining_ || call.hung ||
         (function.spec.dedup && IsDone(index, call.id)) ||
         (call.begun && function.policy == OnExhausted::kDrop) ||
         IsBuried(function.spec.name, call.id);
}

void Schedule::OnFinished(std::string_view name, const Delivery& delivery,
                          Outcome::Kind outcome) {
  const std::size_t index = IndexOf(name);
  Call& call = open_.at(KeyOf(delivery)).calls.at(index);
  if (!call.running) Violated("a call ended that did not run");
  call.running = false;
  call.replied = outcome == Outcome::Kind::kReply;
  call.done = call.replied || outcome == Outcome::Kind::kDone;
  call.rejected = outcome == Outcome::Kind::kReject;
  --functions_[index].doing[std::string(delivery.event()->id())];
  if (functions_[index].form != Handler::Form::kBatch) {
    --functions_[index].running;
  }
}

void Schedule::OnSettled(const Delivery& delivery,
                         const Settlement& settlement) {
  if (delivery.event() == nullptr) return;
  Open& open = open_.at(KeyOf(delivery));
  if (open.settled) Violated("a delivery was settled twice");
  open.settled = true;
  open.expired = settlement.error &&
                 settlement.error->code == ErrorCode::kDeadlineExceeded;
  if (settlement.kind == Settlement::Kind::kNak) return;
  const bool forgotten =
      !delivery.inlet().peer_waits || settlement.kind == Settlement::Kind::kAck;
  if (!forgotten) return;
  if (open.calls.empty()) CheckGivenUp(delivery, "", rig_.options.on_exhausted);
  for (auto& [index, call] : open.calls) {
    FunctionState& function = functions_[index];
    const std::string id(delivery.event()->id());
    if (call.done && (!call.replied || !settlement.replies.empty() ||
                      Confirmed(index, *delivery.event()))) {
      // Of replies it cannot be seen whose they are.
      if (!call.replied) function.did.insert(id);
    } else if (!function.spec.dedup || !IsDone(index, id)) {
      CheckGivenUp(delivery, function.spec.name, function.policy);
    }
  }
  if (settlement.replies.size() > delivery.facts.reply_capacity) {
    Violated("more replies than the source carries");
  }
}

bool Schedule::IsDone(std::size_t index, const std::string& id) const {
  return std::any_of(open_.begin(), open_.end(), [&](const auto& open) {
    const auto found = open.second.calls.find(index);
    return found != open.second.calls.end() && found->second.id == id &&
           found->second.done;
  });
}

void Schedule::CheckGivenUp(const Delivery& delivery, std::string_view function,
                            OnExhausted policy) {
  if (policy == OnExhausted::kDrop && !delivery.inlet().peer_waits) return;
  if (!IsBuried(function, delivery.event()->id())) {
    Violated("acknowledged before its calls succeeded");
  }
}

bool Schedule::IsBuried(std::string_view function, std::string_view id) {
  for (MemoryPlace* place : {&rig_.letters, &rig_.file}) {
    for (const DeadLetter& letter : place->kept()) {
      const Event* const event = std::get_if<Event>(&letter.content);
      if (letter.facts.function == function && event != nullptr &&
          event->id() == id) {
        return true;
      }
    }
  }
  return false;
}

bool Schedule::Confirmed(std::size_t function, const Event& event) {
  if (rig_.options.reply_to != "slow") return true;
  const std::vector<Event> taken = rig_.slow.taken();
  for (std::uint32_t i = 0; i < RepliesTo(function, event.id()); ++i) {
    const std::string id = internal::DerivedId(
        event.source(), event.id(), functions_[function].spec.name, i);
    const bool there =
        std::any_of(taken.begin(), taken.end(),
                    [&id](const Event& reply) { return reply.id() == id; });
    if (!there) return false;
  }
  return true;
}

}  // namespace cirro::test
