#include "inlet_shell.h"

#include <algorithm>
#include <utility>

#include "cirro/cloudevents/media_type.h"

namespace cirro::internal::memory {

InletShell::InletShell(BrokerCore& core, MemoryInletOptions options,
                       const Clock& clock, Observer& observer, Turns& turns)
    : core_(core),
      options_(std::move(options)),
      info_{.name = options_.name, .max_in_flight = options_.max_in_flight},
      clock_(clock),
      observer_(observer),
      link_{.since = clock.Now()},
      loop_(clock, turns) {}

Result<void> InletShell::Start(Sink& sink) {
  sink_ = &sink;
  if (options_.own_thread) loop_.Start();
  return {};
}

void InletShell::SetDemand(bool wanted) noexcept {
  wanted_ = wanted;
  if (wanted) loop_.Wake();
}

bool InletShell::wants(std::size_t open) const noexcept {
  return wanted_ && !draining_ && sink_ != nullptr &&
         open < options_.max_in_flight;
}

std::size_t InletShell::room(std::size_t open) const noexcept {
  return std::min<std::size_t>(options_.max_batch,
                               options_.max_in_flight - open);
}

void InletShell::BeginDrain(std::chrono::milliseconds patience) noexcept {
  draining_ = true;
  loop_.AwaitTurn(patience);
}

void InletShell::Deliver(std::vector<Delivery>& batch) noexcept {
  if (Sink* const sink = sink_; sink != nullptr && !batch.empty()) {
    sink->Deliver(batch);
  }
  batch.clear();
}

void InletShell::Withdraw(std::span<const std::uint64_t> assignments) noexcept {
  // In a drain the sink gives back by itself, and may end before we do.
  if (Sink* const sink = sink_; sink != nullptr && !draining_) {
    sink->Withdraw(info_, assignments);
  }
}

void InletShell::Note(LogLevel level, std::string_view message) noexcept {
  observer_.Noted(level, options_.name, message);
}

void InletShell::Lost(std::uint64_t messages) noexcept {
  observer_.Lost(options_.name, messages);
}

void InletShell::SetLink(LinkState::Kind kind) noexcept {
  const TimePoint now = clock_.Now();
  const MutexLock lock(mutex_);
  // Never connected so far: it still is connecting.
  if (kind == LinkState::Kind::kDisconnected &&
      link_.kind == LinkState::Kind::kConnecting) {
    return;
  }
  if (link_.kind != kind) link_ = {.kind = kind, .since = now};
}

LinkState InletShell::link() const noexcept {
  const MutexLock lock(mutex_);
  return link_;
}

void InletShell::SetLag(std::vector<PartitionLag> lag) {
  const MutexLock lock(mutex_);
  lag_ = std::move(lag);
}

std::vector<PartitionLag> InletShell::Lag() const {
  const MutexLock lock(mutex_);
  return lag_;
}

void AddDelivery(Fetched& fetched, const InletInfo& info, Settler& settler,
                 DeliveryToken token, std::vector<Delivery>& batch) {
  Stored& record = fetched.record;
  Delivery& delivery =
      record.event
          ? batch.emplace_back(*std::move(record.event), info, settler, token)
          : batch.emplace_back(Malformed(*record.malformed), info, settler,
                               token);
  std::string_view traceparent;
  std::string_view tracestate;
  if (record.original != nullptr) {
    for (const auto& [name, value] : record.original->headers) {
      if (EqualsIgnoreCase(name, "traceparent")) traceparent = value;
      if (EqualsIgnoreCase(name, "tracestate")) tracestate = value;
    }
  }
  delivery.facts.trace =
      TraceContextOf(traceparent, tracestate, delivery.event());
  delivery.facts.key = std::move(record.key);
  delivery.facts.original = std::move(record.original);
  delivery.facts.attempt = fetched.attempt;
}

Said SaidBy(DeliveryToken token, const Settlement& settlement) {
  Said said{.token = token, .delay = settlement.delay};
  if (settlement.kind == Settlement::Kind::kNak) {
    said.kind = Said::Kind::kAgain;
    // Given back, because it never ran.
    said.counts =
        !settlement.error || (settlement.error->code != ErrorCode::kDraining &&
                              settlement.error->code != ErrorCode::kOverloaded);
  }
  return said;
}

}  // namespace cirro::internal::memory
