#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cirro/memory/memory.h"
#include "contract/done_above.h"
#include "contract/inlet_contract.h"
#include "support/real_time.h"

namespace cirro::test {
namespace {

/// The broker in memory, which is the reference: what it does, the others do.
class MemoryUnderTest final : public BrokerUnderTest {
 public:
  explicit MemoryUnderTest(MemoryMode mode) : mode_(mode) {}

  [[nodiscard]] std::string Cannot(Ability ability) const override {
    if (ability == Ability::kSeek && mode_ == MemoryMode::kShared) {
      return "a durable consumer has no position that could be moved";
    }
    if (ability == Ability::kMovesPartitions && mode_ == MemoryMode::kShared) {
      return "members share a consumer, and nothing is one member's own";
    }
    return "";
  }
  std::string NewTopic(std::uint32_t partitions) override {
    std::string name = "topic" + std::to_string(++topics_);
    static_cast<void>(broker_.CreateTopic(name, partitions));
    partitions_[name] = partitions;
    return name;
  }
  std::unique_ptr<Inlet> MakeInlet(const InletWish& wish,
                                   Observer& observer) override {
    return *MakeMemoryInlet(broker_,
                            {.name = "memory",
                             .topics = {wish.topic},
                             .group = wish.group,
                             .mode = mode_,
                             .max_in_flight = wish.max_in_flight,
                             .max_batch = 16,
                             .ack_wait = std::chrono::milliseconds(600)},
                            clock_, observer);
  }
  std::unique_ptr<Outlet> MakeOutlet(const std::string& name,
                                     const std::string& topic) override {
    return *MakeMemoryOutlet(broker_, {.name = name, .topic = topic});
  }
  void Publish(const std::string& topic, const Event& event,
               const std::string& key) override {
    ASSERT_TRUE(broker_.Produce(topic, {.content = event, .key = key}));
  }
  void PublishRaw(const std::string& topic, const std::string& bytes,
                  const MessageHeaders& headers) override {
    ASSERT_TRUE(broker_.Produce(topic, DecodeMemoryMessage(bytes, headers)));
  }
  std::vector<Kept> Read(const std::string& topic) override {
    std::vector<Kept> all;
    for (const MemoryRecord& one : broker_.Read(topic)) {
      const auto* const event = std::get_if<Event>(&one.content);
      all.push_back({.bytes = std::string(BytesOf(one)),
                     .headers = HeadersOf(one),
                     .id = std::string(event == nullptr ? "" : event->id())});
    }
    return all;
  }
  std::uint64_t Pending(const std::string& topic,
                        const std::string& group) override {
    std::uint64_t pending = broker_.Pending(group);
    for (std::uint32_t i = 0; i < partitions_[topic]; ++i) {
      const auto commit =
          broker_.Committed(group, topic + "/" + std::to_string(i));
      if (commit) pending -= DoneAbove(commit->offset, commit->metadata);
    }
    return pending;
  }
  void Kill(Inlet& inlet) override {
    dynamic_cast<MemoryInlet&>(inlet).Crash();
  }
  void Refuse(const std::string& topic) override {
    broker_.Refuse(topic, ErrorCode::kUnavailable);
  }
  void Accept(const std::string& topic) override {
    broker_.Refuse(topic, std::nullopt);
  }

 private:
  const MemoryMode mode_;
  int topics_ = 0;
  RealClock clock_;
  MemoryBroker broker_{clock_};
  std::map<std::string, std::uint32_t> partitions_;
};

INSTANTIATE_TEST_SUITE_P(
    Memory, InletContract,
    testing::Values(ContractParam{"Partitioned",
                                  [] {
                                    return std::make_unique<MemoryUnderTest>(
                                        MemoryMode::kPartitioned);
                                  }},
                    ContractParam{"Shared",
                                  [] {
                                    return std::make_unique<MemoryUnderTest>(
                                        MemoryMode::kShared);
                                  }}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace cirro::test
