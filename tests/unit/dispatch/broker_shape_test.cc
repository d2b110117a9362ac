// The seams under an inlet that is shaped like Kafka's: partitions, a committed
// watermark, partitions that are taken away while their records are in flight.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/dispatch_rig.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::DispatchRig;
using test::TypedEvent;

// One consumer of a partitioned log. It polls while there is demand, and
// commits the contiguous prefix of what was acknowledged.
class PartitionedInlet final : public Inlet, private Settler {
 public:
  struct Record {
    Event event;
    std::string key;
  };
  struct Partition {
    std::vector<Record> log{};
    bool assigned = true;
    std::uint64_t epoch = 0;       // Of the assignment: stale results differ.
    std::size_t next = 0;          // To be polled.
    std::size_t committed = 0;     // All before are done, for good.
    std::set<std::size_t> done{};  // Above the watermark.
    std::multimap<TimePoint, std::size_t> delayed{};
    std::map<std::size_t, int> attempts{};
  };

  PartitionedInlet(const Clock& clock, std::size_t partitions)
      : clock_(&clock), partitions_(partitions) {}

  std::vector<Partition>& partitions() { return partitions_; }
  [[nodiscard]] bool demand() const { return demand_; }
  [[nodiscard]] std::size_t open() const { return open_; }

  // Polls one record of each assigned partition.
  bool Poll() {
    std::vector<Delivery> batch;
    for (std::size_t p = 0; p < partitions_.size(); ++p) {
      Partition& partition = partitions_[p];
      if (!partition.assigned) continue;
      std::size_t offset = 0;
      if (!partition.delayed.empty() &&
          partition.delayed.begin()->first <= clock_->Now()) {
        offset = partition.delayed.begin()->second;
        partition.delayed.erase(partition.delayed.begin());
      } else if (demand_ && partition.next < partition.log.size()) {
        offset = partition.next++;
      } else {
        continue;
      }
      Delivery delivery(partition.log[offset].event, info_, *this,
                        DeliveryToken{partition.epoch << 8 | p, offset});
      delivery.facts.key = partition.log[offset].key;
      delivery.facts.attempt = ++partition.attempts[offset];
      batch.push_back(std::move(delivery));
      ++open_;
    }
    if (batch.empty()) return false;
    sink_->Deliver(batch);
    return true;
  }
  [[nodiscard]] TimePoint next_due() const {
    TimePoint next = TimePoint::max();
    for (const Partition& partition : partitions_) {
      if (!partition.assigned || partition.delayed.empty()) continue;
      next = std::min(next, partition.delayed.begin()->first);
    }
    return next;
  }

  // Another consumer takes over from the watermark; later it comes back.
  void Revoke(std::size_t p) {
    Partition& partition = partitions_[p];
    partition.assigned = false;
    ++partition.epoch;
    partition.done.clear();
    partition.delayed.clear();
    partition.next = partition.committed;
  }
  void Assign(std::size_t p) { partitions_[p].assigned = true; }

  [[nodiscard]] const InletInfo& info() const noexcept override {
    return info_;
  }
  Result<void> Start(Sink& sink) override {
    sink_ = &sink;
    return {};
  }
  void SetDemand(bool wanted) noexcept override { demand_ = wanted; }
  void BeginDrain(milliseconds /*patience*/) noexcept override {}
  Result<void> Stop(milliseconds /*grace*/) noexcept override { return {}; }

 private:
  void Settle(DeliveryToken token, Settlement settlement) noexcept override {
    --open_;
    Partition& partition = partitions_[token.high & 0xFF];
    if (token.high >> 8 != partition.epoch) return;  // Not ours any more.
    if (settlement.kind != Settlement::Kind::kAck) {
      partition.delayed.emplace(clock_->Now() + settlement.delay, token.low);
      return;
    }
    partition.done.insert(token.low);
    while (partition.done.erase(partition.committed) > 0) {
      ++partition.committed;
    }
  }

  const Clock* const clock_;
  const InletInfo info_{.name = "log"};
  std::vector<Partition> partitions_;
  Sink* sink_ = nullptr;
  std::size_t open_ = 0;
  bool demand_ = true;
};

class BrokerShape : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  static constexpr std::size_t kPartitions = 3;
  static constexpr std::size_t kRecords = 40;

  void SetUp() override {
    for (std::size_t p = 0; p < kPartitions; ++p) {
      for (std::size_t i = 0; i < kRecords; ++i) {
        inlet_.partitions()[p].log.push_back(
            {TypedEvent("t", std::to_string(p * kRecords + i)),
             "key" + std::to_string(random_() % 4)});
      }
    }
    rig_.options.max_in_flight = 8;
    rig_.On({.type = "t"}, [this](const Event& event) -> Outcome {
      const std::size_t number = std::stoul(std::string(event.id()));
      if (!calm_ && random_() % 3 == 0) return Retry("again");
      ++succeeded_[number];
      return Done();
    });
    auto parts = rig_.Parts();
    parts.inlets = {&inlet_};
    rig_.dispatcher = *Dispatcher::Make(std::move(rig_.registry), rig_.options,
                                        std::move(parts));
    ASSERT_TRUE(inlet_.Start(*rig_.dispatcher));
  }

  void TearDown() override { rig_.dispatcher.reset(); }  // Before its inlet.

  void Step() {
    switch (random_() % 4) {
      case 0:
        inlet_.Poll();
        break;
      case 1:
      case 2:
        rig_.executor.RunAny(random_);
        break;
      default:
        rig_.clock.Advance(milliseconds(random_() % 200));
        rig_.timers.RunDue();
    }
    // "A failed message is never passed by a commit."
    for (std::size_t p = 0; p < kPartitions; ++p) {
      for (std::size_t i = 0; i < inlet_.partitions()[p].committed; ++i) {
        ASSERT_GT(succeeded_[p * kRecords + i], 0) << "committed, never done";
      }
    }
    ASSERT_LE(inlet_.open(), rig_.options.max_in_flight);
  }

  void Finish() {
    calm_ = true;
    for (int i = 0; i < 2000; ++i) {
      while (inlet_.Poll() || rig_.executor.RunFirst() ||
             rig_.timers.RunDue()) {
      }
      const TimePoint next = std::min(rig_.timers.next(), inlet_.next_due());
      if (next == TimePoint::max()) return;
      rig_.clock.AdvanceTo(next);
    }
  }

  void ExpectAllCommitted() {
    for (const auto& partition : inlet_.partitions()) {
      EXPECT_EQ(partition.committed, kRecords);
    }
    EXPECT_EQ(inlet_.open(), 0U);
    EXPECT_EQ(rig_.dispatcher->counts(), Dispatcher::Counts{});
  }

  std::mt19937_64 random_{GetParam()};
  DispatchRig rig_;
  PartitionedInlet inlet_{rig_.clock, kPartitions};
  std::map<std::size_t, int> succeeded_;
  bool calm_ = false;
};

INSTANTIATE_TEST_SUITE_P(Seeds, BrokerShape,
                         ::testing::Range<std::uint64_t>(1, 21));

TEST_P(BrokerShape, CommitsOnlyWhatIsDoneAndAllOfItInTheEnd) {
  for (int i = 0; i < 500; ++i) Step();

  Finish();

  ExpectAllCommitted();
}

TEST_P(BrokerShape, LosesNothingWhenPartitionsGoAndCome) {
  for (int i = 0; i < 500; ++i) {
    if (random_() % 20 == 0) inlet_.Revoke(random_() % kPartitions);
    if (random_() % 10 == 0) inlet_.Assign(random_() % kPartitions);
    Step();
  }

  for (std::size_t p = 0; p < kPartitions; ++p) inlet_.Assign(p);
  Finish();

  ExpectAllCommitted();
}

TEST_P(BrokerShape, StopsPollingWhenTheEngineIsFull) {
  while (inlet_.Poll()) {
  }

  EXPECT_FALSE(inlet_.demand());
  EXPECT_LE(inlet_.open(), rig_.options.max_in_flight);
  Finish();
  ExpectAllCommitted();
}

}  // namespace
}  // namespace cirro
