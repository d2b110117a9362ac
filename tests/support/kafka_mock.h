#pragma once

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace cirro::test {

/// librdkafka's own broker, in this process: it answers as it is told to, which
/// a real one cannot be made to. It knows groups and commits.
class KafkaMock {
 public:
  // Kafka protocol, "Api Keys".
  static constexpr std::int16_t kProduce = 0;
  static constexpr std::int16_t kListOffsets = 2;
  static constexpr std::int16_t kOffsetCommit = 8;
  static constexpr std::int16_t kOffsetFetch = 9;
  static constexpr std::int16_t kInitProducerId = 22;
  static constexpr std::int16_t kAddOffsetsToTxn = 25;

  KafkaMock() {
    std::array<char, 512> why{};
    rd_kafka_conf_t* const conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "0", why.data(), why.size());
    owner_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why.data(), why.size());
    if (owner_ == nullptr) throw std::runtime_error(why.data());
    cluster_ = rd_kafka_mock_cluster_new(owner_, 1);
  }
  ~KafkaMock() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(owner_);
  }
  KafkaMock(const KafkaMock&) = delete;
  KafkaMock& operator=(const KafkaMock&) = delete;

  [[nodiscard]] std::string url() const {
    return rd_kafka_mock_cluster_bootstraps(cluster_);
  }
  void MakeTopic(const std::string& name, int partitions) {
    if (rd_kafka_mock_topic_create(cluster_, name.c_str(), partitions, 1) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
      throw std::runtime_error("no topic " + name);
    }
  }
  /// The next requests of that kind are answered so.
  void Answer(std::int16_t api, std::vector<rd_kafka_resp_err_t> all) {
    rd_kafka_mock_push_request_errors_array(cluster_, api, all.size(),
                                            all.data());
  }
  /// From now on requests of that kind are answered as usual.
  void AnswerAll(std::int16_t api) {
    rd_kafka_mock_clear_request_errors(cluster_, api);
  }
  /// The next `count` requests of that kind are answered after so long.
  void Delay(std::int16_t api, int count, std::chrono::milliseconds by) {
    for (int i = 0; i < count; ++i) {
      rd_kafka_mock_broker_push_request_error_rtts(
          cluster_, 1, api, 1, RD_KAFKA_RESP_ERR_NO_ERROR,
          static_cast<int>(by.count()));
    }
  }

 private:
  rd_kafka_t* owner_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

}  // namespace cirro::test
