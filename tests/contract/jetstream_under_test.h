#pragma once

#include <nats/nats.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "contract/broker_under_test.h"
#include "contract/process.h"
#include "support/nats_module.h"
#include "support/nats_peer.h"
#include "support/nats_server.h"
#include "support/real_time.h"
#include "support/wire.h"

namespace cirro::test {

/// NATS JetStream, a server for each test. A topic is a stream of one subject
/// with its name, a group a durable consumer. Each inlet, and each topic's
/// outlet, has a wire of its own; whoever publishes, reads and asks goes past
/// them.
class JetStreamUnderTest final : public BrokerUnderTest {
 public:
  explicit JetStreamUnderTest(
      bool double_ack,
      std::chrono::milliseconds ack_wait = std::chrono::seconds(2),
      int max_ack_pending = 1'000)
      : double_ack_(double_ack),
        ack_wait_(ack_wait),
        max_ack_pending_(max_ack_pending) {}

  [[nodiscard]] std::string Cannot(Ability ability) const override {
    if (ability == Ability::kMovesPartitions) {
      return "members share a consumer, and nothing is one member's own";
    }
    if (ability == Ability::kPassesWhatIsOpen && max_ack_pending_ == 1) {
      return "with one open message of all processes nothing passes it";
    }
    return "";
  }
  std::string NewTopic(std::uint32_t /*partitions*/) override {
    std::string topic = "topic" + std::to_string(++topics_);
    peer_.MakeStream(topic, topic);
    return topic;
  }
  std::unique_ptr<Inlet> MakeInlet(const InletWish& wish,
                                   Observer& observer) override {
    auto wire = MakeWire();
    JetStreamInletOptions options;
    options.connection = Through(*wire);
    options.stream = wish.topic;
    options.durable = wish.group;
    options.max_in_flight = wish.max_in_flight;
    options.double_ack = double_ack_;
    options.ack_wait = ack_wait_;
    options.max_ack_pending = max_ack_pending_;
    options.heartbeat = std::chrono::milliseconds(500);
    auto inlet =
        Nats().make_jetstream_inlet(std::move(options), clock_, observer);
    if (!inlet) throw std::runtime_error(inlet.error().message);
    inlets_[inlet->get()] = std::move(wire);
    return *std::move(inlet);
  }
  std::unique_ptr<Outlet> MakeOutlet(const std::string& name,
                                     const std::string& topic) override {
    auto& wire = outlets_[topic];
    wire = MakeWire();
    NatsOutletOptions options;
    options.name = name;
    options.connection = Through(*wire);
    options.subject = topic;
    options.mode = ContentMode::kBinary;
    options.timeout = std::chrono::milliseconds(2'000);
    auto outlet = Nats().make_outlet(std::move(options), clock_, notes_);
    if (!outlet) throw std::runtime_error(outlet.error().message);
    return *std::move(outlet);
  }

  void Publish(const std::string& topic, const Event& event,
               const std::string& key) override {
    peer_.Publish(topic, std::string(event.data()),
                  {{"ce-specversion", "1.0"},
                   {"ce-id", std::string(event.id())},
                   {"ce-source", std::string(event.source())},
                   {"ce-type", std::string(event.type())},
                   {"ce-partitionkey", key},
                   {"content-type", "application/json"}});
  }
  void PublishRaw(const std::string& topic, const std::string& bytes,
                  const MessageHeaders& headers) override {
    peer_.Publish(topic, bytes, {headers.begin(), headers.end()});
  }
  std::vector<Kept> Read(const std::string& topic) override {
    std::vector<Kept> all;
    const std::uint64_t count = peer_.MessagesIn(topic);
    for (std::uint64_t sequence = 1; sequence <= count; ++sequence) {
      NatsPeer::Message message = peer_.Read(topic, sequence);
      Kept kept{.bytes = std::move(message.payload), .headers = {}, .id = {}};
      for (auto& [name, value] : message.headers) {
        if (name == "ce-id") kept.id = value;
        if (!name.starts_with("ce-")) kept.headers.emplace_back(name, value);
      }
      all.push_back(std::move(kept));
    }
    return all;
  }
  std::uint64_t Pending(const std::string& topic,
                        const std::string& group) override {
    jsConsumerInfo* info = nullptr;
    const natsStatus status = js_GetConsumerInfo(
        &info, peer_.js(), topic.c_str(), group.c_str(), nullptr, nullptr);
    // Nobody has settled anything.
    if (status == NATS_NOT_FOUND) return peer_.MessagesIn(topic);
    if (status != NATS_OK) throw std::runtime_error(natsStatus_GetText(status));
    const std::uint64_t pending =
        info->NumPending + static_cast<std::uint64_t>(info->NumAckPending);
    jsConsumerInfo_Destroy(info);
    return pending;
  }

  void Kill(Inlet& inlet) override {
    inlets_.at(&inlet)->Cut();
    inlet.BeginDrain(kPatience);
  }
  void Refuse(const std::string& topic) override { outlets_.at(topic)->Cut(); }
  void Accept(const std::string& topic) override { outlets_.at(topic)->Mend(); }

  [[nodiscard]] NatsPeer& peer() { return peer_; }

 private:
  [[nodiscard]] std::unique_ptr<Wire> MakeWire() const {
    const std::string url = server_.url();
    return std::make_unique<Wire>(
        static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))),
        Wire::Protocol::kAny);
  }
  static NatsConnection Through(const Wire& wire) {
    NatsConnection connection;
    connection.servers = {"nats://127.0.0.1:" + std::to_string(wire.port())};
    connection.reconnect_wait = std::chrono::milliseconds(20);
    return connection;
  }

  const bool double_ack_;
  const std::chrono::milliseconds ack_wait_;
  const int max_ack_pending_;
  int topics_ = 0;
  RealClock clock_;
  NotesObserver notes_;
  NatsServer server_;
  NatsPeer peer_{server_.url()};
  std::map<const Inlet*, std::unique_ptr<Wire>> inlets_;
  std::map<std::string, std::unique_ptr<Wire>> outlets_;
};

}  // namespace cirro::test
