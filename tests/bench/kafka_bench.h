#pragma once

#include <librdkafka/rdkafka.h>

#include <array>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker_bench.h"
#include "support/kafka_tool.h"

namespace cirro::bench {

using Properties = std::vector<std::pair<std::string, std::string>>;

/// A client of librdkafka with these properties.
inline rd_kafka_t* MakeClient(
    rd_kafka_type_t type, const Properties& properties,
    void (*reported)(rd_kafka_t*, const rd_kafka_message_t*, void*) = nullptr,
    void* opaque = nullptr) {
  rd_kafka_conf_t* const conf = rd_kafka_conf_new();
  std::array<char, 256> why{};
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why.data(),
                          why.size()) != RD_KAFKA_CONF_OK) {
      Fail(why.data());
    }
  }
  if (reported != nullptr) rd_kafka_conf_set_dr_msg_cb(conf, reported);
  rd_kafka_conf_set_opaque(conf, opaque);
  rd_kafka_t* const client = rd_kafka_new(type, conf, why.data(), why.size());
  if (client == nullptr) Fail(why.data());
  return client;
}

/// Binary mode, as the Kafka protocol binding has it.
inline rd_kafka_headers_t* MakeHeaders(const std::string& id) {
  rd_kafka_headers_t* const headers = rd_kafka_headers_new(std::size(kEvent));
  for (const Header& header : kEvent) {
    const std::string_view attribute = header.attribute;
    const std::string name = attribute == "datacontenttype"
                                 ? "content-type"
                                 : "ce_" + std::string(attribute);
    std::string_view text = id;
    if (header.text != nullptr) text = header.text;
    rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()),
                        text.data(), static_cast<ssize_t>(text.size()));
  }
  return headers;
}

/// A new topic of one partition that holds `messages` events.
inline std::string MakeFilledTopic(const std::string& brokers, int messages) {
  test::KafkaTool tool(brokers);
  const std::string topic = tool.MakeTopic(1);
  rd_kafka_t* const producer =
      MakeClient(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers},
                                     {"linger.ms", "20"},
                                     {"batch.num.messages", "10000"}});
  for (int i = 0; i < messages;) {
    rd_kafka_headers_t* const headers = MakeHeaders(IdOf(i));
    const auto code = rd_kafka_producev(
        producer, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(0),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_VALUE(const_cast<char*>(kData.data()), kData.size()),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      ++i;
      continue;
    }
    rd_kafka_headers_destroy(headers);
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) Fail(rd_kafka_err2str(code));
    rd_kafka_poll(producer, 100);
  }
  if (rd_kafka_flush(producer, 60'000) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    Fail("the events were not written");
  }
  rd_kafka_destroy(producer);
  return topic;
}

/// Every header and the payload of a record, as a raw reader reads them.
inline std::size_t Touch(const rd_kafka_message_t& message) {
  std::size_t sum =
      Touch({static_cast<const char*>(message.payload), message.len});
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) !=
      RD_KAFKA_RESP_ERR_NO_ERROR) {
    Fail("a record without headers");
  }
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) ==
       RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    sum += Touch({static_cast<const char*>(value), size});
  }
  return sum;
}

}  // namespace cirro::bench
