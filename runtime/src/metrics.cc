#include "metrics.h"

#include <algorithm>
#include <atomic>
#include <chrono>

#include "metrics_cells.h"

namespace cirro::internal {
namespace {

std::atomic<std::uint64_t> next_id{1};

}  // namespace

void Histogram::Add(Duration took) noexcept {
  const auto nanoseconds =
      std::chrono::duration_cast<std::chrono::nanoseconds>(took).count();
  const double seconds = static_cast<double>(nanoseconds) / 1e9;
  std::size_t bucket = 0;
  while (bucket < kBounds.size() && seconds > kBounds[bucket]) ++bucket;
  buckets_[bucket].Add(1);
  nanoseconds_.Add(
      static_cast<std::uint64_t>(std::max<std::int64_t>(nanoseconds, 0)));
}

void Histogram::AddTo(std::array<std::uint64_t, kBounds.size() + 1>& buckets,
                      double& seconds) const noexcept {
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    buckets[i] += buckets_[i].get();
  }
  seconds += static_cast<double>(nanoseconds_.get()) / 1e9;
}

thread_local constinit Metrics::Own Metrics::own = {0, nullptr};

Metrics::Metrics()
    : id_(next_id.fetch_add(1)), blocks_(std::make_shared<Blocks>()) {}
Metrics::~Metrics() = default;

// What a thread gives back at its end, or when it counts for another Metrics.
class Metrics::Lease {
 public:
  ~Lease() {
    GiveBack();
    own = {0, nullptr};
  }

  Block& Take(const std::shared_ptr<Blocks>& from) {
    GiveBack();
    const MutexLock lock(from->mutex);
    if (from->free.empty()) {
      block_ = from->all.emplace_back(std::make_unique<Block>()).get();
      from->free.reserve(from->all.size());  // So that giving back cannot fail.
    } else {
      block_ = from->free.back();
      from->free.pop_back();
    }
    from_ = from;
    return *block_;
  }

 private:
  void GiveBack() noexcept {
    const std::shared_ptr<Blocks> from = from_.lock();
    if (from == nullptr) return;
    const MutexLock lock(from->mutex);
    from->free.push_back(block_);
  }

  std::weak_ptr<Blocks> from_;
  Block* block_ = nullptr;
};

std::size_t Metrics::blocks() const {
  const MutexLock lock(blocks_->mutex);
  return blocks_->all.size();
}

Metrics::Block& Metrics::LeaseBlock() const {
  static thread_local Lease lease;
  own = {id_, &lease.Take(blocks_)};
  return *own.block;
}

void Metrics::Received(const Delivery& delivery) noexcept {
  InletCells& cells = OwnBlock().Inlet(delivery.inlet());
  (delivery.event() != nullptr ? cells.events : cells.malformed).Add(1);
}

void Metrics::Started(std::string_view function, const Delivery& delivery,
                      int attempt) noexcept {
  CallCells& cells = OwnBlock().Call(function, delivery.inlet());
  cells.started.Add(1);
  if (attempt > 1) cells.repeated.Add(1);
}

void Metrics::Finished(std::string_view function, const Delivery& delivery,
                       Outcome::Kind outcome, const Error* error,
                       Duration took) noexcept {
  CallCells& cells = OwnBlock().Call(function, delivery.inlet());
  cells.outcomes.at(static_cast<std::size_t>(outcome)).Add(1);
  if (error != nullptr) {
    cells.errors.at(static_cast<std::size_t>(error->code)).Add(1);
  }
  cells.took.Add(took);
}

void Metrics::Settled(const Delivery& delivery, const Settlement& settlement,
                      Duration since_received) noexcept {
  InletCells& cells = OwnBlock().Inlet(delivery.inlet());
  if (settlement.kind == Settlement::Kind::kAck) {
    cells.done.Add(1);
  } else {
    const ErrorCode code =
        settlement.error ? settlement.error->code : ErrorCode::kInternal;
    cells.failed.at(static_cast<std::size_t>(code)).Add(1);
  }
  cells.took.Add(since_received);
}

void Metrics::Sent(std::string_view outlet, const Error* error,
                   Duration took) noexcept {
  OutletCells& cells = OwnBlock().Outlet(outlet);
  if (error == nullptr) {
    cells.sent.Add(1);
  } else {
    cells.failed.at(static_cast<std::size_t>(error->code)).Add(1);
  }
  cells.took.Add(took);
}

void Metrics::Hung(std::string_view function,
                   const Delivery& delivery) noexcept {
  OwnBlock().Call(function, delivery.inlet()).hung.Add(1);
}

void Metrics::Kept(std::string_view function, const Delivery& delivery,
                   DeadReason reason, const Error& /*error*/) noexcept {
  trouble_.Add(TroubleCounts::Kind::kKept, delivery.inlet().name, function,
               ToString(reason));
}

void Metrics::Dropped(std::string_view function, const Delivery& delivery,
                      DeadReason reason, const Error& /*error*/) noexcept {
  trouble_.Add(TroubleCounts::Kind::kDropped, delivery.inlet().name, function,
               ToString(reason));
}

void Metrics::Buried(const DeadLetterFacts& facts, const Delivery& delivery,
                     std::string_view place) noexcept {
  trouble_.Add(TroubleCounts::Kind::kBuried, delivery.inlet().name,
               facts.function, ToString(facts.reason), place);
}

void Metrics::NotBuried(const DeadLetterFacts& facts, const Delivery& delivery,
                        std::string_view place, const Error& error,
                        bool stalled) noexcept {
  const std::string_view inlet = delivery.inlet().name;
  trouble_.Add(TroubleCounts::Kind::kNotBuried, inlet, place,
               ToString(error.code));
  if (!stalled) return;
  trouble_.Add(TroubleCounts::Kind::kStalled, inlet, facts.function,
               ToString(facts.reason));
}

void Metrics::Duplicate(std::string_view function,
                        const Delivery& delivery) noexcept {
  trouble_.Add(TroubleCounts::Kind::kDuplicate, delivery.inlet().name,
               function);
}

void Metrics::Lost(std::string_view part, std::uint64_t messages) noexcept {
  trouble_.AddTo(TroubleCounts::Kind::kLost, {std::string(part)}, messages);
}

void Metrics::Held(std::string_view part, std::string_view partition,
                   bool waits) noexcept {
  trouble_.Add(
      waits ? TroubleCounts::Kind::kHeld : TroubleCounts::Kind::kWentOn, part,
      partition);
}

std::uint64_t Metrics::SettledOf(std::string_view inlet) const {
  std::uint64_t settled = 0;
  const MutexLock lock(blocks_->mutex);
  for (const auto& block : blocks_->all) {
    const MutexLock block_lock(block->mutex);
    for (const auto& [info, cells] : block->inlets) {
      if (info->name != inlet) continue;
      settled += cells->done.get();
      for (const Count& failed : cells->failed) settled += failed.get();
    }
  }
  return settled;
}

void Metrics::Logged(LogLevel level, std::string_view /*function*/,
                     const Event* /*event*/, const TraceContext& /*trace*/,
                     std::string_view /*message*/) noexcept {
  OwnBlock().lines.at(static_cast<std::size_t>(level)).Add(1);
}

}  // namespace cirro::internal
