#pragma once

#include <librdkafka/rdkafka.h>

#include <cstddef>
#include <string_view>
#include <vector>

#include "cirro/kafka/codec.h"

namespace cirro::internal::kafka {

/// A record of librdkafka as the codec reads it. REQUIRES: the message and
/// `headers`, which are filled, outlive it.
class RecordView {
 public:
  RecordView(const rd_kafka_message_t& message,
             std::vector<KafkaHeader>& headers) {
    headers.clear();
    rd_kafka_headers_t* all = nullptr;
    if (rd_kafka_message_headers(&message, &all) ==
        RD_KAFKA_RESP_ERR_NO_ERROR) {
      const char* name = nullptr;
      const void* value = nullptr;
      std::size_t size = 0;
      for (std::size_t i = 0;
           rd_kafka_header_get_all(all, i, &name, &value, &size) ==
           RD_KAFKA_RESP_ERR_NO_ERROR;
           ++i) {
        headers.push_back({name, Bytes(value, size)});
      }
    }
    record_.headers = headers;
    if (message.payload != nullptr) {
      record_.value = Bytes(message.payload, message.len);
    }
    if (message.key != nullptr) {
      record_.key = Bytes(message.key, message.key_len);
    }
  }

  [[nodiscard]] const KafkaRecord& record() const noexcept { return record_; }

 private:
  static std::string_view Bytes(const void* data, std::size_t size) noexcept {
    return {static_cast<const char*>(data), size};
  }

  KafkaRecord record_;
};

}  // namespace cirro::internal::kafka
