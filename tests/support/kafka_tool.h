#pragma once

#include <librdkafka/rdkafka.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

namespace cirro::test {

/// The brokers that tests use, host:port; empty: there are none, and a test of
/// label `broker` skips.
inline std::string KafkaUrl() {
  const char* const url = std::getenv("CIRRO_TEST_KAFKA_URL");
  return url == nullptr ? "" : url;
}

/// A record as it lies in a topic.
struct RawRecord {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::optional<std::string> key{};
  std::optional<std::string> value{};
  std::vector<std::pair<std::string, std::string>> headers{};
  std::int64_t time = 0;  ///< Of a record to be written, in ms; 0: now.

  /// The header's value; "(none)" where there is no such header.
  [[nodiscard]] std::string Header(std::string_view name) const {
    for (const auto& [each, text] : headers) {
      if (each == name) return text;
    }
    return "(none)";
  }
};

/// What somebody else does with a cluster: makes topics, writes and reads raw
/// records, looks at a group's offsets. One thread at a time.
class KafkaTool {
 public:
  explicit KafkaTool(std::string brokers) : brokers_(std::move(brokers)) {
    producer_ = Make(RD_KAFKA_PRODUCER, {{"linger.ms", "1"}});
  }
  ~KafkaTool() { rd_kafka_destroy(producer_); }
  KafkaTool(const KafkaTool&) = delete;
  KafkaTool& operator=(const KafkaTool&) = delete;

  /// A name that nobody had before.
  static std::string Fresh(std::string_view stem) {
    static std::atomic<int> count{0};
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::string(stem) + "-" + std::to_string(getpid()) + "-" +
           std::to_string(now.count() / 1'000'000) + "-" +
           std::to_string(++count);
  }

  /// A new topic with a fresh name.
  std::string MakeTopic(
      int partitions = 1,
      const std::vector<std::pair<std::string, std::string>>& settings = {}) {
    const std::string name = Fresh("topic");
    std::array<char, 256> why{};
    rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(
        name.c_str(), partitions, 1, why.data(), why.size());
    for (const auto& [key, value] : settings) {
      rd_kafka_NewTopic_set_config(topic, key.c_str(), value.c_str());
    }
    rd_kafka_queue_t* const queue = rd_kafka_queue_new(producer_);
    rd_kafka_CreateTopics(producer_, &topic, 1, nullptr, queue);
    rd_kafka_event_t* const event = rd_kafka_queue_poll(queue, 20'000);
    if (event == nullptr || rd_kafka_event_error(event) != 0) {
      throw std::runtime_error("no topic " + name + ": " +
                               (event == nullptr
                                    ? "no answer"
                                    : rd_kafka_event_error_string(event)));
    }
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
    return name;
  }

  /// Queues a record; Flush waits for all.
  void Write(const std::string& topic, RawRecord record) {
    rd_kafka_headers_t* const headers =
        rd_kafka_headers_new(record.headers.size());
    for (const auto& [name, value] : record.headers) {
      rd_kafka_header_add(headers, name.data(),
                          static_cast<ssize_t>(name.size()), value.data(),
                          static_cast<ssize_t>(value.size()));
    }
    const auto pointer = [](const std::optional<std::string>& text) {
      return text ? static_cast<const void*>(text->data()) : nullptr;
    };
    const auto size = [](const std::optional<std::string>& text) {
      return text ? text->size() : 0;
    };
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    do {
      code = rd_kafka_producev(
          producer_, RD_KAFKA_V_TOPIC(topic.c_str()),
          RD_KAFKA_V_PARTITION(record.partition),
          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
          RD_KAFKA_V_KEY(pointer(record.key), size(record.key)),
          RD_KAFKA_V_VALUE(const_cast<void*>(pointer(record.value)),
                           size(record.value)),
          RD_KAFKA_V_TIMESTAMP(record.time), RD_KAFKA_V_HEADERS(headers),
          RD_KAFKA_V_END);
      rd_kafka_poll(producer_, code == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 100 : 0);
    } while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      throw std::runtime_error(rd_kafka_err2str(code));
    }
  }
  void Flush() {
    if (rd_kafka_flush(producer_, 30'000) != 0) {
      throw std::runtime_error("records were not written");
    }
  }

  /// A binary event with that id in that partition.
  void WriteEvent(const std::string& topic, const std::string& id,
                  std::int32_t partition = 0, std::string key = {},
                  std::string type = "com.example.test") {
    RawRecord record{.partition = partition, .value = "data of " + id};
    if (!key.empty()) record.key = std::move(key);
    record.headers = {{"ce_specversion", "1.0"},
                      {"ce_id", id},
                      {"ce_source", "/test"},
                      {"ce_type", std::move(type)},
                      {"content-type", "text/plain"}};
    Write(topic, std::move(record));
  }
  /// Events "0", "1", ... of one partition.
  void WriteEvents(const std::string& topic, int count,
                   std::int32_t partition = 0, int first = 0) {
    for (int i = first; i < first + count; ++i) {
      WriteEvent(topic, std::to_string(i), partition);
    }
    Flush();
  }

  /// Every record of the topic up to now.
  std::vector<RawRecord> Read(const std::string& topic, int partitions = 1,
                              bool committed_only = true) {
    rd_kafka_t* const consumer =
        Make(RD_KAFKA_CONSUMER,
             {{"group.id", Fresh("reader")},
              {"enable.partition.eof", "true"},
              {"enable.auto.commit", "false"},
              {"auto.offset.reset", "earliest"},
              {"isolation.level",
               committed_only ? "read_committed" : "read_uncommitted"}});
    rd_kafka_poll_set_consumer(consumer);
    rd_kafka_topic_partition_list_t* const list =
        rd_kafka_topic_partition_list_new(partitions);
    for (int i = 0; i < partitions; ++i) {
      rd_kafka_topic_partition_list_add(list, topic.c_str(), i)->offset =
          RD_KAFKA_OFFSET_BEGINNING;
    }
    rd_kafka_assign(consumer, list);
    rd_kafka_topic_partition_list_destroy(list);
    std::vector<RawRecord> records;
    int ended = 0;
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (ended < partitions && std::chrono::steady_clock::now() < end) {
      rd_kafka_message_t* const message =
          rd_kafka_consumer_poll(consumer, 1'000);
      if (message == nullptr) continue;
      if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) ++ended;
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        records.push_back(Copy(*message));
      }
      rd_kafka_message_destroy(message);
    }
    rd_kafka_destroy_flags(consumer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    if (ended < partitions) throw std::runtime_error("the topic has no end");
    return records;
  }

  /// As retention does: what is before that offset is gone.
  void DeleteBefore(const std::string& topic, std::int64_t offset,
                    std::int32_t partition = 0) {
    rd_kafka_topic_partition_list_t* const list =
        rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic.c_str(), partition)->offset =
        offset;
    rd_kafka_DeleteRecords_t* request = rd_kafka_DeleteRecords_new(list);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_queue_t* const queue = rd_kafka_queue_new(producer_);
    rd_kafka_DeleteRecords(producer_, &request, 1, nullptr, queue);
    rd_kafka_event_t* const event = rd_kafka_queue_poll(queue, 20'000);
    const auto* const result =
        event == nullptr ? nullptr : rd_kafka_event_DeleteRecords_result(event);
    const bool deleted =
        result != nullptr && rd_kafka_event_error(event) == 0 &&
        rd_kafka_DeleteRecords_result_offsets(result)->elems[0].err == 0;
    if (event != nullptr) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_DeleteRecords_destroy(request);
    if (!deleted) throw std::runtime_error("records were not deleted");
  }

  /// Nobody may write to the topic from now on, nor, unless it is `visible`,
  /// know of it.
  void Forbid(const std::string& topic, bool visible) {
    if (visible) {
      Allow(topic, RD_KAFKA_ACL_OPERATION_DESCRIBE,
            RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW);
    }
    Allow(topic, RD_KAFKA_ACL_OPERATION_WRITE,
          RD_KAFKA_ACL_PERMISSION_TYPE_DENY);
  }

  struct CommittedOffset {
    std::int64_t offset = -1;  ///< Negative: none.
    std::string metadata{};
  };
  CommittedOffset Committed(const std::string& group, const std::string& topic,
                            std::int32_t partition = 0) {
    rd_kafka_t* const consumer = Make(RD_KAFKA_CONSUMER, {{"group.id", group}});
    rd_kafka_topic_partition_list_t* const list =
        rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic.c_str(), partition);
    const auto code = rd_kafka_committed(consumer, list, 20'000);
    CommittedOffset committed;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      committed.offset = list->elems[0].offset;
      if (list->elems[0].metadata != nullptr) {
        committed.metadata.assign(
            static_cast<const char*>(list->elems[0].metadata),
            list->elems[0].metadata_size);
      }
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy_flags(consumer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      throw std::runtime_error(rd_kafka_err2str(code));
    }
    return committed;
  }
  /// As somebody who is no member; the group must have none.
  void Commit(const std::string& group, const std::string& topic,
              std::int32_t partition, CommittedOffset committed) {
    rd_kafka_t* const consumer = Make(RD_KAFKA_CONSUMER, {{"group.id", group}});
    rd_kafka_topic_partition_list_t* const list =
        rd_kafka_topic_partition_list_new(1);
    auto* const element =
        rd_kafka_topic_partition_list_add(list, topic.c_str(), partition);
    element->offset = committed.offset;
    element->metadata = strdup(committed.metadata.c_str());
    element->metadata_size = committed.metadata.size();
    const auto code = rd_kafka_commit(consumer, list, 0);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy_flags(consumer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      throw std::runtime_error(rd_kafka_err2str(code));
    }
  }

  [[nodiscard]] rd_kafka_t* Make(
      rd_kafka_type_t type,
      const std::vector<std::pair<std::string, std::string>>& more) const {
    rd_kafka_conf_t* const conf = rd_kafka_conf_new();
    std::array<char, 512> why{};
    const auto set = [&](const std::string& name, const std::string& value) {
      if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why.data(),
                            why.size()) != RD_KAFKA_CONF_OK) {
        throw std::runtime_error(why.data());
      }
    };
    set("bootstrap.servers", brokers_);
    set("log_level", "0");
    for (const auto& [name, value] : more) set(name, value);
    rd_kafka_t* const handle = rd_kafka_new(type, conf, why.data(), why.size());
    if (handle == nullptr) throw std::runtime_error(why.data());
    return handle;
  }

 private:
  void Allow(const std::string& topic, rd_kafka_AclOperation_t operation,
             rd_kafka_AclPermissionType_t permission) {
    std::array<char, 256> why{};
    rd_kafka_AclBinding_t* acl = rd_kafka_AclBinding_new(
        RD_KAFKA_RESOURCE_TOPIC, topic.c_str(),
        RD_KAFKA_RESOURCE_PATTERN_LITERAL, "User:*", "*", operation, permission,
        why.data(), why.size());
    rd_kafka_queue_t* const queue = rd_kafka_queue_new(producer_);
    rd_kafka_CreateAcls(producer_, &acl, 1, nullptr, queue);
    rd_kafka_event_t* const event = rd_kafka_queue_poll(queue, 20'000);
    const bool made = event != nullptr && rd_kafka_event_error(event) == 0;
    if (event != nullptr) rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AclBinding_destroy(acl);
    if (!made) throw std::runtime_error("no rule was made for " + topic);
  }
  static RawRecord Copy(const rd_kafka_message_t& message) {
    RawRecord record{.partition = message.partition, .offset = message.offset};
    if (message.key != nullptr) {
      record.key.emplace(static_cast<const char*>(message.key),
                         message.key_len);
    }
    if (message.payload != nullptr) {
      record.value.emplace(static_cast<const char*>(message.payload),
                           message.len);
    }
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&message, &headers) ==
        RD_KAFKA_RESP_ERR_NO_ERROR) {
      const char* name = nullptr;
      const void* value = nullptr;
      std::size_t size = 0;
      for (std::size_t i = 0;
           rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0;
           ++i) {
        record.headers.emplace_back(
            name, std::string(static_cast<const char*>(value), size));
      }
    }
    return record;
  }

  const std::string brokers_;
  rd_kafka_t* producer_ = nullptr;
};

}  // namespace cirro::test
