#include "engine.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "planted_bug.h"
#include "severity.h"

// Admission, readiness and running; what time does is in engine_time.cc, how
// calls and deliveries end in engine_end.cc.

namespace cirro::internal {

Engine::Engine(std::vector<EngineFunction> functions,
               const DispatcherOptions& options,
               std::vector<EngineInlet> inlets)
    : functions_(std::move(functions)),
      options_(options),
      inlets_(std::move(inlets)),
      max_in_flight_(options.max_in_flight),
      max_bytes_(options.max_bytes),
      sources_(inlets_.size()),
      states_(functions_.size()),
      lanes_(options.seed),
      random_(options.seed) {
  for (std::size_t i = 0; i < inlets_.size(); ++i) {
    const InletInfo& info = *inlets_[i].info;
    if (info.max_in_flight > 0) {
      sources_[i].max_in_flight = Bound(info.max_in_flight);
    }
    if (info.max_bytes > 0) sources_[i].max_bytes = Bound(info.max_bytes);
  }
}

std::uint32_t Engine::Lookup(CallId id) const {
  const auto index = static_cast<std::uint32_t>(id);
  if (index >= calls_.size()) return kNone;
  const Call& call = calls_[index];
  return call.generation == id >> 32 && call.entry != kNone ? index : kNone;
}

CallId Engine::IdOf(std::uint32_t index) const {
  return CallId{calls_[index].generation} << 32 | index;
}

bool Engine::PeerWaits(const Call& call) const {
  return entries_[call.entry].delivery->inlet().peer_waits;
}

const EngineInlet* Engine::SourceOf(const Call& call) const {
  const std::uint32_t source = entries_[call.entry].source;
  return source == kNone ? nullptr : &inlets_[source];
}

bool Engine::Transactional(const Call& call) const {
  const EngineInlet* const source = SourceOf(call);
  return source != nullptr && source->transactional;
}

bool Engine::MayGiveBack(const Call& call) const {
  const EngineInlet* const source = SourceOf(call);
  // Who gave it back would have no claim to keep its duplicates waiting.
  return source != nullptr && source->delays && call.lane == kNone &&
         !call.claimed && entries_[call.entry].calls == 1;
}

// ---- Admission.

std::optional<Error> Engine::Refuse(const Delivery& delivery,
                                    std::span<const Target> targets,
                                    std::size_t bytes) const {
  const auto full = [](const std::string& where, std::uint64_t bound,
                       const char* setting) {
    return Error{ErrorCode::kOverloaded, where + " is full: `" + setting +
                                             "` is " + std::to_string(bound)};
  };
  if (draining_) {
    return Error{ErrorCode::kDraining, "the process is stopping"};
  }
  // Another source has no one to tell: its demand ends in time.
  if (!delivery.inlet().peer_waits) return std::nullopt;
  if (bytes > options_.max_bytes) {
    return Error{ErrorCode::kTooLarge, "the event takes " +
                                           std::to_string(bytes) +
                                           " bytes; `max_bytes` is " +
                                           std::to_string(options_.max_bytes)};
  }
  if (counts_.in_flight >= options_.max_in_flight) {
    return full("the dispatcher", options_.max_in_flight, "max_in_flight");
  }
  if (counts_.bytes + bytes > options_.max_bytes) {
    return full("the dispatcher", options_.max_bytes, "max_bytes");
  }
  for (const Target& target : targets) {
    const EngineFunction& function = functions_[target.function];
    const FunctionState& state = states_[target.function];
    if (function.max_in_flight > 0 &&
        state.in_flight >= function.max_in_flight) {
      return full("function '" + function.name + "'", function.max_in_flight,
                  "max_in_flight");
    }
    if (function.max_bytes > 0 && state.bytes + bytes > function.max_bytes) {
      return full("function '" + function.name + "'", function.max_bytes,
                  "max_bytes");
    }
  }
  return std::nullopt;
}

void Engine::SettleRefused(Delivery&& delivery, Error error, Actions& actions) {
  // Whoever gets a broker's message next, in a drain, has not to wait.
  const auto delay = delivery.inlet().peer_waits ? options_.overload_delay
                                                 : std::chrono::milliseconds(0);
  const InletInfo& inlet = delivery.inlet();
  auto& settle =
      actions.settle.emplace_back(std::move(delivery), Duration::zero());
  settle.settlement =
      FailureOf(std::move(error), delay, inlet, options_.retry.cap);
}

std::uint32_t Engine::NewEntry(Delivery&& delivery, std::size_t bytes,
                               TimePoint now) {
  const std::uint32_t index = entries_.Take();
  Entry& entry = entries_[index];
  entry.delivery.emplace(std::move(delivery));
  entry.received = now;
  entry.bytes = bytes;
  entry.calls = 0;
  entry.source = kNone;
  ++counts_.in_flight;
  counts_.bytes += bytes;
  const InletInfo* const info = &entry.delivery->inlet();
  for (std::uint32_t i = 0; i < inlets_.size(); ++i) {
    if (inlets_[i].info != info) continue;
    entry.source = i;
    Source& source = sources_[i];
    ++source.in_flight;
    source.bytes += bytes;
    if (inlets_[i].extend_every > Duration::zero() &&
        source.extend_at == TimePoint::max()) {
      source.extend_at = now + inlets_[i].extend_every;
    }
    break;
  }
  return index;
}

std::uint32_t Engine::NewCall(std::uint32_t entry_index,
                              std::uint32_t function) {
  const std::uint32_t index = calls_.Take();
  Entry& entry = entries_[entry_index];
  Call& call = calls_[index];
  call.entry = entry_index;
  call.function = function;
  call.state = State::kWaiting;
  call.attempt = entry.delivery->facts.attempt;
  call.next_of_entry = kNone;
  ++entry.calls;
  std::uint32_t* link = &entry.first_call;
  while (*link != kNone) link = &calls_[*link].next_of_entry;
  *link = index;
  ++entry.open;
  ++entry.live;
  const EngineFunction& its = functions_[function];
  FunctionState& state = states_[function];
  ++state.in_flight;
  state.bytes += entry.bytes;
  const bool full =
      (its.max_in_flight > 0 && state.in_flight >= its.max_in_flight) ||
      (its.max_bytes > 0 && state.bytes >= its.max_bytes);
  if (full && entry.source != kNone) {
    auto& filled = sources_[entry.source].full_functions;
    if (std::find(filled.begin(), filled.end(), function) == filled.end()) {
      filled.push_back(function);
    }
  }
  return index;
}

std::string_view Engine::KeyOf(std::uint32_t entry,
                               const Target& target) const {
  return target.by_source_key
             ? std::string_view(entries_[entry].delivery->facts.key)
             : target.key;
}

void Engine::Admit(Delivery&& delivery, std::span<const Target> targets,
                   TimePoint now, Actions& actions) {
  assert(!targets.empty() && delivery.event() != nullptr);
  const std::size_t bytes = delivery.memory_size();
  if (auto error = Refuse(delivery, targets, bytes); error) {
    SettleRefused(std::move(delivery), *std::move(error), actions);
    return;
  }
  const std::uint32_t entry = NewEntry(std::move(delivery), bytes, now);
  for (const Target& target : targets) NewCall(entry, target.function);
  std::uint32_t index = entries_[entry].first_call;
  for (const Target& target : targets) {
    const std::uint32_t next = calls_[index].next_of_entry;
    Enter(index, KeyOf(entry, target), actions);
    index = next;
  }
  UpdateDemand(actions);
}

void Engine::AdmitFinished(Delivery&& delivery, const Target& target,
                           CallResult&& result, TimePoint now,
                           Actions& actions) {
  const std::size_t bytes = delivery.memory_size();
  if (auto error = Refuse(delivery, {&target, 1}, bytes); error) {
    SettleRefused(std::move(delivery), *std::move(error), actions);
    return;
  }
  const std::uint32_t entry = NewEntry(std::move(delivery), bytes, now);
  const std::uint32_t index = NewCall(entry, target.function);
  const std::string_view key = KeyOf(entry, target);
  if (!key.empty()) EnterLane(index, key);
  calls_[index].state = State::kReturned;
  Conclude(index, std::move(result), now, actions);
  UpdateDemand(actions);
}

void Engine::Enter(std::uint32_t index, std::string_view key,
                   Actions& actions) {
  if (!key.empty()) EnterLane(index, key);
  const Call& call = calls_[index];
  if (call.lane == kNone || lanes_[call.lane].head == index) {
    Open(index, actions);
  } else {
    ArmDeadline(index);
  }
}

void Engine::EnterLane(std::uint32_t index, std::string_view key) {
  Call& call = calls_[index];
  call.lane = lanes_.Open(call.function, key);
  Lane& lane = lanes_[call.lane];
  call.lane_prev = lane.tail;
  call.lane_next = kNone;
  (lane.tail == kNone ? lane.head : calls_[lane.tail].lane_next) = index;
  lane.tail = index;
}

// ---- Readiness.

void Engine::ArmDeadline(std::uint32_t index) {
  timers_.Set(index, entries_[calls_[index].entry].delivery->facts.deadline);
}

// Its lane is open to it.
void Engine::Open(std::uint32_t index, Actions& actions) {
  const Call& call = calls_[index];
  // A transaction that is undone brings its events again, with all that was
  // sent for them: none of them is known as done.
  if (functions_[call.function].dedup && !call.claimed &&
      !Transactional(call)) {
    AskDedup(index, actions);
  } else {
    MakeReady(index, actions);
  }
}

void Engine::MakeReady(std::uint32_t index, Actions& actions) {
  Call& call = calls_[index];
  FunctionState& state = states_[call.function];
  call.state = State::kReady;
  call.queue_prev = state.last_ready;
  call.queue_next = kNone;
  (state.last_ready == kNone ? state.first_ready
                             : calls_[state.last_ready].queue_next) = index;
  state.last_ready = index;
  ArmDeadline(index);
  Pump(call.function, actions);
}

std::uint32_t Engine::PopReady(FunctionState& state) {
  const std::uint32_t index = state.first_ready;
  state.first_ready = calls_[index].queue_next;
  (state.first_ready == kNone ? state.last_ready
                              : calls_[state.first_ready].queue_prev) = kNone;
  return index;
}

// Hands ready calls over as far as the function's concurrency allows. A batch
// function has one run at a time that has not begun, because the run takes all
// that is ready when it begins.
void Engine::Pump(std::uint32_t function_index, Actions& actions) {
  const EngineFunction& function = functions_[function_index];
  FunctionState& state = states_[function_index];
  const bool batch = function.form == Handler::Form::kBatch;
  const bool unbounded = function.concurrency == 0 ||
                         Planted(batch ? PlantedBug::kIgnoreBatchConcurrency
                                       : PlantedBug::kIgnoreConcurrency);
  while (state.first_ready != kNone && !state.batch_posted &&
         (unbounded || state.active < function.concurrency)) {
    const std::uint32_t index = PopReady(state);
    calls_[index].state = State::kPosted;
    state.batch_posted = batch;
    ++state.active;
    ++counts_.running;
    (function.inline_call ? actions.run_inline : actions.post)
        .push_back(IdOf(index));
  }
}

// Takes a call that has not begun out of the queue it stands in.
void Engine::Unqueue(std::uint32_t index, Actions& actions) {
  Call& call = calls_[index];
  FunctionState& state = states_[call.function];
  if (call.state == State::kReady) {
    (call.queue_prev == kNone ? state.first_ready
                              : calls_[call.queue_prev].queue_next) =
        call.queue_next;
    (call.queue_next == kNone ? state.last_ready
                              : calls_[call.queue_next].queue_prev) =
        call.queue_prev;
    call.state = State::kReturned;
  } else if (call.state == State::kPosted) {
    call.state = State::kReturned;
    state.batch_posted = false;
    --state.active;
    --counts_.running;
    Pump(call.function, actions);
  }
}

// ---- Running.

bool Engine::Begin(CallId id, TimePoint now, Work& work, Actions& actions) {
  Tick(now, actions);  // So that nothing begins past its deadline.
  const std::uint32_t index = Lookup(id);
  if (index == kNone || calls_[index].state != State::kPosted) return false;
  Call& call = calls_[index];
  const EngineFunction& function = functions_[call.function];
  FunctionState& state = states_[call.function];
  const Delivery& delivery = *entries_[call.entry].delivery;
  call.state = State::kRunning;
  call.started = now;
  call.returned = call.completed = call.thrown = false;
  if (call.has_extra) call.extra->Clear();  // Of the attempt before.
  const TimePoint hangs_at = now + function.timeout;
  call.hangs_at = hangs_at;
  TimePoint deadline = std::min(hangs_at, delivery.facts.deadline);
  work = {.function = call.function,
          .delivery = &delivery,
          .attempt = call.attempt,
          .started = now};
  if (function.form == Handler::Form::kAsync) {
    work.context = &call.MakeExtra().context;
  }
  if (function.form == Handler::Form::kBatch) {
    state.batch_posted = false;
    if (!call.batch) call.batch = std::make_unique<BatchRun>();
    BatchRun& batch = *call.batch;
    for (std::uint32_t member = index;;) {
      Call& follower = calls_[member];
      const Delivery& its = *entries_[follower.entry].delivery;
      follower.state = State::kRunning;
      follower.follows = member != index;
      timers_.Set(member, its.facts.deadline);
      deadline = std::min(deadline, its.facts.deadline);
      batch.calls.push_back(member);
      batch.deliveries.push_back(&its);
      batch.attempts.push_back(follower.attempt);
      batch.events.push_back(*its.event());
      if (state.first_ready == kNone) break;
      if (batch.calls.size() >= function.batch_max) break;
      // What it publishes goes with one source's transaction.
      const Call& next = calls_[state.first_ready];
      if ((Transactional(call) || Transactional(next)) &&
          entries_[next.entry].source != entries_[call.entry].source) {
        break;
      }
      member = PopReady(state);
    }
    work.batch = &batch;
    Pump(call.function, actions);
  }
  timers_.Set(index, std::min(hangs_at, delivery.facts.deadline));
  work.deadline = deadline;
  if (Planted(PlantedBug::kSettleBeforeSuccess)) {
    Settle(call.entry, now, actions);
  }
  return true;
}

void Engine::Finish(CallId id, std::span<CallResult> results, TimePoint now,
                    Actions& actions) {
  const std::uint32_t index = Lookup(id);
  assert(index != kNone && calls_[index].state == State::kRunning);
  const std::uint32_t function = calls_[index].function;
  --states_[function].active;
  --counts_.running;
  if (functions_[function].form != Handler::Form::kBatch) {
    FinishOne(index, std::move(results[0]), now, actions);
  } else {
    BatchRun& batch = *calls_[index].batch;
    assert(results.size() == batch.calls.size());
    batch.deliveries.clear();
    batch.attempts.clear();
    batch.events.clear();
    // What the run published goes with the first of its events that is done.
    std::vector<Settlement::Output> outputs;
    if (calls_[index].has_extra) outputs.swap(calls_[index].extra->outputs);
    for (std::size_t i = 0; i < results.size() && !outputs.empty(); ++i) {
      if (!results[i].error) {
        calls_[batch.calls[i]].MakeExtra().outputs = std::exchange(outputs, {});
      }
    }
    // By index: the last member to leave takes nothing of the batch with it.
    for (std::size_t i = 0; i < results.size(); ++i) {
      FinishOne(batch.calls[i], std::move(results[i]), now, actions);
    }
    batch.calls.clear();
  }
  Pump(function, actions);
  UpdateDemand(actions);
}

void Engine::Returned(CallId id, std::optional<CallResult> thrown,
                      TimePoint now, Actions& actions) {
  const std::uint32_t index = Lookup(id);
  assert(index != kNone && calls_[index].state == State::kRunning);
  Call& call = calls_[index];
  call.returned = true;
  // What was thrown says more than the Completion that it dropped.
  if (thrown &&
      (!call.completed || call.extra->result.kind == Outcome::Kind::kRetry)) {
    call.MakeExtra().result = *std::move(thrown);
    call.thrown = true;
  }
  if (call.completed) FinishAsync(index, now, actions);
  UpdateDemand(actions);
}

void Engine::Completed(CallId id, CallResult&& result, TimePoint now,
                       Actions& actions) {
  const std::uint32_t index = Lookup(id);
  if (index == kNone || calls_[index].completed) return;
  Call& call = calls_[index];
  call.completed = true;
  if (!call.thrown) call.MakeExtra().result = std::move(result);
  if (call.returned) FinishAsync(index, now, actions);
  UpdateDemand(actions);
}

void Engine::FinishAsync(std::uint32_t index, TimePoint now, Actions& actions) {
  Call& call = calls_[index];
  const std::uint32_t function = call.function;
  --states_[function].active;
  --counts_.running;
  FinishOne(index, std::exchange(call.extra->result, {}), now, actions);
  Pump(function, actions);
}

// ---- What others ask.

std::optional<Work> Engine::Find(CallId id) const {
  const std::uint32_t index = Lookup(id);
  if (index == kNone || calls_[index].state != State::kRunning) {
    return std::nullopt;
  }
  const Call& call = calls_[index];
  return Work{.function = call.function,
              .delivery = &*entries_[call.entry].delivery,
              .attempt = call.attempt,
              .started = call.started,
              .thrown = call.thrown ? &call.extra->result : nullptr};
}

// g++ 12 at -Og takes the library's own constructor of a stop_source for a use
// of something uninitialised.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
std::stop_token Engine::StopToken(CallId id) {
  const std::uint32_t index = Lookup(id);
  if (index == kNone) return {};
  Call& call = calls_[index];
  std::stop_source& stop = call.MakeExtra().stop;
  if (!stop.stop_possible()) {
    stop = std::stop_source();
    // Nobody can have a callback on it yet.
    if (call.hung || call.ended) stop.request_stop();
  }
  return stop.get_token();
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

}  // namespace cirro::internal
