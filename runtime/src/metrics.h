#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker_health.h"
#include "cirro/dispatch/dispatcher.h"
#include "cirro/dispatch/mutex.h"
#include "cirro/dispatch/observer.h"
#include "cirro/http/receiver.h"
#include "trouble_counts.h"

namespace cirro::internal {

enum class MetricKind : std::uint8_t { kCounter, kGauge, kHistogram };

/// One line of the table that /metrics and docs/metrics.md are made from.
struct Metric {
  std::string_view name;
  MetricKind kind;
  std::string_view labels;  // For people: "inlet, outcome".
  std::string_view help;
};
[[nodiscard]] std::span<const Metric> MetricTable();
/// docs/metrics.md.
[[nodiscard]] std::string MetricsMarkdown();

/// A number that one thread adds to and others read.
class Count {
 public:
  // No locked instruction: nobody else writes.
  void Add(std::uint64_t n) noexcept {
    value_.store(get() + n, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t get() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// How often something took how long.
class Histogram {
 public:
  static constexpr std::array<double, 16> kBounds{
      0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
      0.05,   0.1,     0.25,   0.5,   1,      2.5,   10,   30};

  void Add(Duration took) noexcept;
  void AddTo(std::array<std::uint64_t, kBounds.size() + 1>& buckets,
             double& seconds) const noexcept;

 private:
  std::array<Count, kBounds.size() + 1> buckets_{};
  Count nanoseconds_{};
};

/// What is read when somebody asks, beside what was counted.
struct MetricsSnapshot {
  Dispatcher::Counts dispatcher{};
  HttpCounters http{};
  bool has_http = false;
  std::size_t worker_threads = 0;
  std::size_t worker_queue = 0;
  bool ready = false;
  std::map<std::string, std::string, std::less<>> types{};  // By function.
  std::vector<BrokerHealth::Lag> lags{};
  std::vector<BrokerHealth::Link> links{};
};

/// Counts what the observer sees. Each thread counts for itself, so that the
/// hot path shares no cache line; a reader adds the threads up.
class Metrics final : public Observer {
 public:
  Metrics();
  ~Metrics() override;

  void Received(const Delivery& delivery) noexcept override;
  void Started(std::string_view function, const Delivery& delivery,
               int attempt) noexcept override;
  void Finished(std::string_view function, const Delivery& delivery,
                Outcome::Kind outcome, const Error* error,
                Duration took) noexcept override;
  void Settled(const Delivery& delivery, const Settlement& settlement,
               Duration since_received) noexcept override;
  void Hung(std::string_view function,
            const Delivery& delivery) noexcept override;
  void Logged(LogLevel level, std::string_view function, const Event* event,
              const TraceContext& trace,
              std::string_view message) noexcept override;

  void Kept(std::string_view function, const Delivery& delivery,
            DeadReason reason, const Error& error) noexcept override;
  void Dropped(std::string_view function, const Delivery& delivery,
               DeadReason reason, const Error& error) noexcept override;
  void Buried(const DeadLetterFacts& facts, const Delivery& delivery,
              std::string_view place) noexcept override;
  void NotBuried(const DeadLetterFacts& facts, const Delivery& delivery,
                 std::string_view place, const Error& error,
                 bool stalled) noexcept override;
  void Duplicate(std::string_view function,
                 const Delivery& delivery) noexcept override;
  void Lost(std::string_view part, std::uint64_t messages) noexcept override;
  void Held(std::string_view part, std::string_view partition,
            bool waits) noexcept override;

  /// An outlet's send ended. `error` is null after success.
  void Sent(std::string_view outlet, const Error* error,
            Duration took) noexcept;

  /// How many sets of counters there are: as many as threads counted at once.
  [[nodiscard]] std::size_t blocks() const;

  /// Deliveries of that inlet that ended. Any thread.
  [[nodiscard]] std::uint64_t SettledOf(std::string_view inlet) const;

  /// The text that Prometheus reads. Any thread.
  [[nodiscard]] std::string Render(const MetricsSnapshot& snapshot) const;

 private:
  struct Block;
  struct CallCells;
  struct InletCells;
  struct OutletCells;
  struct Blocks;
  class Lease;
  [[nodiscard]] Block& OwnBlock() const {
    return own.owner == id_ ? *own.block : LeaseBlock();
  }
  [[nodiscard]] Block& LeaseBlock() const;

  // This thread's block, and the Metrics it belongs to. libcirro is there from
  // the start, so its address needs no call.
  struct Own {
    std::uint64_t owner;
    Block* block;
  };
  static thread_local constinit Own own
      __attribute__((tls_model("initial-exec")));

  const std::uint64_t id_;  // Tells a thread's block of this from another's.
  // As many as threads counted at once: who ends leaves its block, with what is
  // counted in it, to the next. Shared with threads that outlive this.
  const std::shared_ptr<Blocks> blocks_;
  TroubleCounts trouble_;
};

}  // namespace cirro::internal
