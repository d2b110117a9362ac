#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/dispatch/capability.h"
#include "cirro/dispatch/link.h"
#include "support/kafka_rig.h"
#include "support/real_time.h"

namespace cirro::test {

/// Keeps deliveries until the test settles them, and remembers what came.
class KeepingSink final : public Sink {
 public:
  void Deliver(std::span<Delivery> batch) noexcept override {
    const std::lock_guard lock(mutex_);
    for (Delivery& delivery : batch) {
      const Event* const event = delivery.event();
      came_.emplace_back(event == nullptr ? "(malformed)" : event->id());
      positions_.push_back(delivery.position());
      if (settle_ && !IsKept(delivery)) {
        delivery.Settle(how_(delivery));
      } else {
        held_.push_back(std::move(delivery));
      }
    }
    changed_.notify_all();
  }

  /// From now on everything is done at once but the event `kept`; what is held,
  /// too.
  void SettleAll(std::string kept = {}) {
    const std::lock_guard lock(mutex_);
    settle_ = true;
    kept_ = std::move(kept);
    std::deque<Delivery> held;
    held.swap(held_);
    for (Delivery& delivery : held) {
      if (IsKept(delivery)) {
        held_.push_back(std::move(delivery));
      } else {
        delivery.Settle(how_(delivery));
      }
    }
  }
  /// How SettleAll and Ack settle; before anything comes.
  void SettleBy(std::function<Settlement(const Delivery&)> how) {
    const std::lock_guard lock(mutex_);
    how_ = std::move(how);
  }
  /// Gives back what is held: a delivery does not outlive its inlet.
  void Drop() {
    std::deque<Delivery> held;
    const std::lock_guard lock(mutex_);
    held.swap(held_);
  }
  /// Waits until `count` came in all; false: they did not in time.
  bool Await(std::size_t count,
             std::chrono::milliseconds patience = std::chrono::seconds(30)) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience,
                             [&] { return came_.size() >= count; });
  }
  /// The held delivery of the event with that id; throws where there is none.
  Delivery Take(const std::string& id) {
    const std::lock_guard lock(mutex_);
    const auto at =
        std::find_if(held_.begin(), held_.end(), [&](const Delivery& each) {
          return each.event() != nullptr && each.event()->id() == id;
        });
    if (at == held_.end()) throw std::runtime_error("not held: " + id);
    Delivery delivery = std::move(*at);
    held_.erase(at);
    return delivery;
  }
  void Ack(const std::string& id) {
    Delivery delivery = Take(id);
    delivery.Settle(how_(delivery));
  }
  /// Ids of all that came, in their order.
  [[nodiscard]] std::vector<std::string> came() {
    const std::lock_guard lock(mutex_);
    return came_;
  }
  [[nodiscard]] std::vector<std::string> positions() {
    const std::lock_guard lock(mutex_);
    return positions_;
  }
  [[nodiscard]] std::size_t held() {
    const std::lock_guard lock(mutex_);
    return held_.size();
  }

 private:
  [[nodiscard]] bool IsKept(const Delivery& delivery) const {
    return !kept_.empty() && delivery.event() != nullptr &&
           delivery.event()->id() == kept_;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool settle_ = false;
  std::string kept_;
  std::function<Settlement(const Delivery&)> how_ = [](const Delivery&) {
    return Settlement{.kind = Settlement::Kind::kAck};
  };
  std::deque<Delivery> held_;
  std::vector<std::string> came_;
  std::vector<std::string> positions_;
};

/// Of tests of the inlet: a topic, a group, and members.
class KafkaInletTest : public KafkaTest {
 protected:
  /// One member of the group, with what it keeps. Stopped when it goes.
  struct Member {
    Notes notes;
    KeepingSink sink;
    std::unique_ptr<Inlet> inlet;

    ~Member() {
      if (inlet) static_cast<void>(inlet->Stop(std::chrono::milliseconds(0)));
      sink.Drop();
      inlet.reset();
    }
    /// As a process stops that has nothing open.
    Result<void> Stop(
        std::chrono::milliseconds grace = std::chrono::milliseconds(5'000)) {
      inlet->BeginDrain(grace);
      return inlet->Stop(grace);
    }
  };

  KafkaInletOptions Options(const std::string& topic) {
    KafkaInletOptions options;
    options.name = "in";
    options.connection.brokers = KafkaUrl();
    options.connection.librdkafka = {
        {"topic.metadata.refresh.interval.ms", "1000"}};
    options.topics = {topic};
    options.group = group_;
    options.commit_every = std::chrono::milliseconds(50);
    options.session_timeout = std::chrono::milliseconds(6'000);
    options.lag_every = std::chrono::milliseconds(50);
    return options;
  }
  std::unique_ptr<Member> Start(
      const KafkaInletOptions& options,
      const std::function<void(Member&)>& before = {}) {
    auto member = std::make_unique<Member>();
    auto inlet = Kafka().make_inlet(options, clock_, member->notes);
    if (!inlet) throw std::runtime_error(inlet.error().message);
    member->inlet = *std::move(inlet);
    if (before) before(*member);
    if (auto started = member->inlet->Start(member->sink); !started) {
      throw std::runtime_error(started.error().message);
    }
    return member;
  }
  /// Until the group has committed that.
  bool AwaitCommitted(const std::string& topic, std::int64_t offset,
                      std::int32_t partition = 0) {
    return Eventually([&] {
      return tool().Committed(group_, topic, partition).offset == offset;
    });
  }
  static LinkState::Kind LinkOf(Inlet& inlet) {
    return CapabilityOf<Linked>(inlet)->link().kind;
  }

  const std::string group_ = KafkaTool::Fresh("group");
};

}  // namespace cirro::test
