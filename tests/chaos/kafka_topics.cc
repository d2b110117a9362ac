#include <librdkafka/rdkafka.h>

#include <array>
#include <chrono>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

#include "chaos/topics.h"

namespace cirro::chaos {
namespace {

using std::chrono::minutes;
using std::chrono::steady_clock;

constexpr int kPatienceMs = 60'000;

void Must(rd_kafka_resp_err_t code, const std::string& what) {
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    throw std::runtime_error(what + ": " + rd_kafka_err2str(code));
  }
}

using Settings = std::vector<std::pair<std::string, std::string>>;

class Client {
 public:
  Client(rd_kafka_type_t type, const std::string& brokers,
         const Settings& settings) {
    rd_kafka_conf_t* const conf = rd_kafka_conf_new();
    std::array<char, 512> why{};
    const auto set = [&](const std::string& name, const std::string& value) {
      if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why.data(),
                            why.size()) != RD_KAFKA_CONF_OK) {
        throw std::runtime_error(why.data());
      }
    };
    set("bootstrap.servers", brokers);
    set("log_level", "0");
    // It is killed on purpose, and back within a second.
    set("reconnect.backoff.max.ms", "500");
    for (const auto& [name, value] : settings) set(name, value);
    if (type == RD_KAFKA_PRODUCER) rd_kafka_conf_set_dr_msg_cb(conf, OnReport);
    rd_kafka_conf_set_opaque(conf, &failed_);
    handle_ = rd_kafka_new(type, conf, why.data(), why.size());
    if (handle_ == nullptr) throw std::runtime_error(why.data());
  }
  ~Client() {
    rd_kafka_destroy_flags(handle_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] rd_kafka_t* get() const { return handle_; }
  [[nodiscard]] rd_kafka_resp_err_t failed() const { return failed_; }

 private:
  static void OnReport(rd_kafka_t* /*handle*/,
                       const rd_kafka_message_t* message, void* opaque) {
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      *static_cast<rd_kafka_resp_err_t*>(opaque) = message->err;
    }
  }

  rd_kafka_t* handle_ = nullptr;
  rd_kafka_resp_err_t failed_ = RD_KAFKA_RESP_ERR_NO_ERROR;
};

// One reader of all partitions of a topic.
class Reader {
 public:
  Reader(const std::string& brokers, const std::string& topic)
      : brokers_(brokers),
        topic_(topic),
        client_(RD_KAFKA_CONSUMER, brokers,
                {{"group.id", "judge"},
                 {"enable.partition.eof", "true"},
                 {"enable.auto.commit", "false"},
                 {"auto.offset.reset", "error"},
                 {"isolation.level", "read_committed"}}),
        partitions_(CountPartitions()) {
    rd_kafka_poll_set_consumer(client_.get());
    rd_kafka_topic_partition_list_t* const list =
        rd_kafka_topic_partition_list_new(partitions_);
    for (int i = 0; i < partitions_; ++i) {
      rd_kafka_topic_partition_list_add(list, topic.c_str(), i)->offset = 0;
    }
    const auto code = rd_kafka_assign(client_.get(), list);
    rd_kafka_topic_partition_list_destroy(list);
    Must(code, topic);
  }

  // With an end: until each partition was read to where it ends now, which a
  // reader of committed records reaches when no transaction is left open.
  void Read(bool to_the_end, const Visit& visit) {
    std::map<std::int32_t, std::int64_t> ends;
    if (to_the_end) ends = Ends();
    auto give_up = steady_clock::now() + minutes(2);
    while (!to_the_end || !ends.empty()) {
      rd_kafka_message_t* const message =
          rd_kafka_consumer_poll(client_.get(), 1'000);
      if (to_the_end && steady_clock::now() > give_up) {
        throw std::runtime_error(topic_ + " cannot be read to its end");
      }
      if (message == nullptr) continue;
      bool more = true;
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        give_up = steady_clock::now() + minutes(2);
        more = visit({{static_cast<const char*>(message->payload),
                       message->payload == nullptr ? 0 : message->len},
                      rd_kafka_message_timestamp(message, nullptr)});
      } else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        const auto end = ends.find(message->partition);
        if (end != ends.end() && message->offset >= end->second) {
          ends.erase(end);
        }
      }
      rd_kafka_message_destroy(message);
      if (!more) return;
    }
  }

 private:
  // A topic that was just made is known a moment later.
  int CountPartitions() {
    const auto give_up = steady_clock::now() + minutes(1);
    int count = 0;
    while ((count = KnownPartitions()) == 0) {
      if (steady_clock::now() > give_up) {
        throw std::runtime_error("there is no topic " + topic_);
      }
    }
    return count;
  }
  int KnownPartitions() {
    rd_kafka_topic_t* const topic =
        rd_kafka_topic_new(client_.get(), topic_.c_str(), nullptr);
    const struct rd_kafka_metadata* metadata = nullptr;
    const auto code =
        rd_kafka_metadata(client_.get(), 0, topic, &metadata, kPatienceMs);
    rd_kafka_topic_destroy(topic);
    Must(code, "metadata of " + topic_);
    const int count = metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return count;
  }
  std::map<std::int32_t, std::int64_t> Ends() {
    const Client client(RD_KAFKA_CONSUMER, brokers_,
                        {{"isolation.level", "read_uncommitted"}});
    std::map<std::int32_t, std::int64_t> ends;
    for (int i = 0; i < partitions_; ++i) {
      std::int64_t begin = 0;
      std::int64_t end = 0;
      Must(rd_kafka_query_watermark_offsets(client.get(), topic_.c_str(), i,
                                            &begin, &end, kPatienceMs),
           "the end of " + topic_);
      ends[i] = end;
    }
    return ends;
  }

  const std::string brokers_;
  const std::string topic_;
  const Client client_;
  const int partitions_;
};

class KafkaTopics final : public Topics {
 public:
  explicit KafkaTopics(std::string brokers) : brokers_(std::move(brokers)) {}

  void Make(const std::string& name, int partitions) override {
    const Client client(RD_KAFKA_PRODUCER, brokers_, {});
    std::array<char, 256> why{};
    rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(
        name.c_str(), partitions, 1, why.data(), why.size());
    rd_kafka_queue_t* const queue = rd_kafka_queue_new(client.get());
    rd_kafka_CreateTopics(client.get(), &topic, 1, nullptr, queue);
    rd_kafka_event_t* const event = rd_kafka_queue_poll(queue, kPatienceMs);
    const auto code = event == nullptr ? RD_KAFKA_RESP_ERR__TIMED_OUT
                                       : rd_kafka_event_error(event);
    if (event != nullptr) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
    Must(code, "no topic " + name);
  }

  void Produce(const std::string& topic, std::int64_t count,
               std::int64_t keys) override {
    const Client client(RD_KAFKA_PRODUCER, brokers_,
                        {{"enable.idempotence", "true"},
                         {"linger.ms", "5"},
                         {"message.timeout.ms", "600000"}});
    for (std::int64_t i = 0; i < count; ++i) {
      const std::string key = std::to_string(i % keys);
      const std::string value = key + " " + std::to_string(i / keys);
      rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
      do {
        code = Put(client.get(), topic, key, value);
        rd_kafka_poll(client.get(),
                      code == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 100 : 0);
      } while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL);
      Must(code, "cannot produce");
    }
    Must(rd_kafka_flush(client.get(), 600'000), "cannot produce");
    Must(client.failed(), "cannot produce");
  }

  void Read(const std::string& topic, const Visit& visit) override {
    Reader(brokers_, topic).Read(true, visit);
  }
  void Follow(const std::string& topic, const Visit& visit) override {
    Reader(brokers_, topic).Read(false, visit);
  }

 private:
  static rd_kafka_resp_err_t Put(rd_kafka_t* handle, const std::string& topic,
                                 const std::string& key,
                                 const std::string& value) {
    return rd_kafka_producev(
        handle, RD_KAFKA_V_TOPIC(topic.c_str()),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(key.data(), key.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
        RD_KAFKA_V_HEADER("ce_specversion", "1.0", -1),
        RD_KAFKA_V_HEADER("ce_type", "com.example.chaos", -1),
        RD_KAFKA_V_HEADER("ce_source", "/chaos", -1),
        RD_KAFKA_V_HEADER("ce_id", value.c_str(), -1),
        RD_KAFKA_V_HEADER("content-type", "text/plain", -1), RD_KAFKA_V_END);
  }

  const std::string brokers_;
};

}  // namespace

std::unique_ptr<Topics> Topics::Connect(const std::string& address) {
  return std::make_unique<KafkaTopics>(address);
}

}  // namespace cirro::chaos
