#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "contract/broker_under_test.h"
#include "contract/done_above.h"
#include "contract/process.h"
#include "support/kafka_rig.h"
#include "support/real_time.h"
#include "support/wire.h"

namespace cirro::test {

/// Somebody of the group who is no member, and asks what it has committed.
class KafkaAuditor {
 public:
  KafkaAuditor(const KafkaTool& tool, std::string topic,
               const std::string& group, std::int32_t partitions)
      : topic_(std::move(topic)),
        group_(group),
        partitions_(partitions),
        consumer_(tool.Make(RD_KAFKA_CONSUMER, {{"group.id", group}})) {}
  ~KafkaAuditor() {
    rd_kafka_destroy_flags(consumer_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  }
  KafkaAuditor(const KafkaAuditor&) = delete;
  KafkaAuditor& operator=(const KafkaAuditor&) = delete;

  std::uint64_t Pending() {
    const std::unique_ptr<rd_kafka_topic_partition_list_t,
                          decltype(&rd_kafka_topic_partition_list_destroy)>
        list(rd_kafka_topic_partition_list_new(partitions_),
             &rd_kafka_topic_partition_list_destroy);
    for (std::int32_t i = 0; i < partitions_; ++i) {
      rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), i);
    }
    Must(rd_kafka_committed(consumer_, list.get(), kPatienceMs));
    std::uint64_t pending = 0;
    for (std::int32_t i = 0; i < partitions_; ++i) {
      const rd_kafka_topic_partition_t& one = list->elems[i];
      Must(one.err);
      std::int64_t begin = 0;
      std::int64_t end = 0;
      Must(rd_kafka_query_watermark_offsets(consumer_, topic_.c_str(), i,
                                            &begin, &end, kPatienceMs));
      const auto committed =
          static_cast<std::uint64_t>(one.offset < 0 ? begin : one.offset);
      pending +=
          static_cast<std::uint64_t>(end) - committed -
          DoneAbove(committed,
                    {static_cast<const char*>(one.metadata), one.metadata_size},
                    MapPlace(group_, topic_, i));
    }
    return pending;
  }

 private:
  static constexpr int kPatienceMs = 20'000;

  static void Must(rd_kafka_resp_err_t code) {
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      throw std::runtime_error(rd_kafka_err2str(code));
    }
  }

  const std::string topic_;
  const std::string group_;
  const std::int32_t partitions_;
  rd_kafka_t* const consumer_;
};

/// Apache Kafka, at least once. Each inlet, and each topic's outlet, has a wire
/// of its own to it; whoever publishes, reads and asks goes past them.
class KafkaUnderTest final : public BrokerUnderTest {
 public:
  explicit KafkaUnderTest(KafkaAssignor assignor = KafkaAssignor::kRange)
      : assignor_(assignor) {}

  [[nodiscard]] std::string Cannot(Ability /*ability*/) const override {
    return "";
  }
  std::string NewTopic(std::uint32_t partitions) override {
    const auto count = static_cast<std::int32_t>(partitions);
    std::string topic = tool_.MakeTopic(count);
    partitions_[topic] = count;
    return topic;
  }
  std::unique_ptr<Inlet> MakeInlet(const InletWish& wish,
                                   Observer& observer) override {
    auto wire = MakeWire();
    KafkaInletOptions options;
    options.connection = Through(*wire);
    options.connection.librdkafka.emplace_back("heartbeat.interval.ms", "200");
    options.topics = {wish.topic};
    options.group = wish.group;
    options.assignor = assignor_;
    options.max_in_flight = wish.max_in_flight;
    options.commit_every = std::chrono::milliseconds(50);
    options.lag_every = std::chrono::milliseconds(50);
    // The broker takes no less.
    options.session_timeout = std::chrono::milliseconds(6'000);
    auto inlet = Kafka().make_inlet(std::move(options), clock_, observer);
    if (!inlet) throw std::runtime_error(inlet.error().message);
    inlets_[inlet->get()] = std::move(wire);
    return *std::move(inlet);
  }
  std::unique_ptr<Outlet> MakeOutlet(const std::string& name,
                                     const std::string& topic) override {
    auto& wire = outlets_[topic];
    wire = MakeWire();
    KafkaOutletOptions options;
    options.name = name;
    options.connection = Through(*wire);
    options.topic = topic;
    options.timeout = std::chrono::milliseconds(2'000);
    auto outlet = Kafka().make_outlet(std::move(options), clock_, notes_);
    if (!outlet) throw std::runtime_error(outlet.error().message);
    return *std::move(outlet);
  }

  void Publish(const std::string& topic, const Event& event,
               const std::string& key) override {
    tool_.Write(topic, {.partition = RD_KAFKA_PARTITION_UA,
                        .key = key,
                        .value = std::string(event.data()),
                        .headers = {{"ce_specversion", "1.0"},
                                    {"ce_id", std::string(event.id())},
                                    {"ce_source", std::string(event.source())},
                                    {"ce_type", std::string(event.type())},
                                    {"content-type", "application/json"}}});
    tool_.Flush();
  }
  void PublishRaw(const std::string& topic, const std::string& bytes,
                  const MessageHeaders& headers) override {
    RawRecord record{.value = bytes};
    record.headers.assign(headers.begin(), headers.end());
    tool_.Write(topic, std::move(record));
    tool_.Flush();
  }
  std::vector<Kept> Read(const std::string& topic) override {
    std::vector<Kept> all;
    for (RawRecord& record : tool_.Read(topic, partitions_.at(topic))) {
      Kept kept{.bytes = std::move(record.value).value_or(""),
                .headers = {},
                .id = {}};
      for (auto& [name, value] : record.headers) {
        if (name == "ce_id") kept.id = value;
        if (!name.starts_with("ce_")) kept.headers.emplace_back(name, value);
      }
      all.push_back(std::move(kept));
    }
    return all;
  }
  std::uint64_t Pending(const std::string& topic,
                        const std::string& group) override {
    auto& auditor = auditors_[group];
    if (auditor == nullptr) {
      auditor = std::make_unique<KafkaAuditor>(tool_, topic, group,
                                               partitions_.at(topic));
    }
    return auditor->Pending();
  }

  void Kill(Inlet& inlet) override {
    inlets_.at(&inlet)->Cut();
    inlet.BeginDrain(kPatience);
  }
  void Refuse(const std::string& topic) override { outlets_.at(topic)->Cut(); }
  void Accept(const std::string& topic) override { outlets_.at(topic)->Mend(); }

 private:
  static std::unique_ptr<Wire> MakeWire() {
    const std::string url = KafkaUrl();
    return std::make_unique<Wire>(
        static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))),
        Wire::Protocol::kKafka);
  }
  static KafkaConnection Through(const Wire& wire) {
    KafkaConnection connection;
    connection.brokers = "127.0.0.1:" + std::to_string(wire.port());
    connection.librdkafka = {{"topic.metadata.refresh.interval.ms", "1000"},
                             {"reconnect.backoff.max.ms", "200"}};
    return connection;
  }

  const KafkaAssignor assignor_;
  RealClock clock_;
  Notes notes_;
  KafkaTool tool_{KafkaUrl()};
  std::map<std::string, std::int32_t> partitions_;
  std::map<std::string, std::unique_ptr<KafkaAuditor>> auditors_;
  std::map<const Inlet*, std::unique_ptr<Wire>> inlets_;
  std::map<std::string, std::unique_ptr<Wire>> outlets_;
};

}  // namespace cirro::test
