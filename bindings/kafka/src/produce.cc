#include "produce.h"

#include <array>
#include <charconv>
#include <memory>

namespace cirro::internal::kafka {
namespace {

using Headers =
    std::unique_ptr<rd_kafka_headers_t, Destroy<&rd_kafka_headers_destroy>>;

std::int32_t Choose(const rd_kafka_topic_t* topic, const void* key,
                    std::size_t key_size, std::int32_t partitions,
                    void* topic_opaque, void* opaque) {
  const auto* const wanted = static_cast<const Wanted*>(opaque);
  if (wanted != nullptr && wanted->partition >= 0 &&
      wanted->partition < partitions) {
    return wanted->partition;
  }
  return rd_kafka_msg_partitioner_murmur2_random(
      topic, key, key_size, partitions, topic_opaque, opaque);
}

}  // namespace

Topic MakeTopic(rd_kafka_t* handle, const std::string& name) {
  rd_kafka_topic_conf_t* const conf = rd_kafka_default_topic_conf_dup(handle);
  rd_kafka_topic_conf_set_partitioner_cb(conf, &Choose);
  return Topic(rd_kafka_topic_new(handle, name.c_str(), conf));
}

rd_kafka_resp_err_t Produce(rd_kafka_t* handle, rd_kafka_topic_t* topic,
                            const KafkaDraft& draft, std::string_view key,
                            Wanted* wanted) {
  Headers headers(rd_kafka_headers_new(draft.headers.size()));
  for (const KafkaDraft::Header& header : draft.headers) {
    const auto added = rd_kafka_header_add(
        headers.get(), header.name.data(),
        static_cast<ssize_t>(header.name.size()), header.value.data(),
        static_cast<ssize_t>(header.value.size()));
    if (added != RD_KAFKA_RESP_ERR_NO_ERROR) return added;
  }

  std::array<rd_kafka_vu_t, 6> arguments{};
  arguments[0].vtype = RD_KAFKA_VTYPE_RKT;
  arguments[0].u.rkt = topic;
  arguments[1].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  arguments[1].u.i = RD_KAFKA_MSG_F_COPY;
  // A null pointer is Kafka's null; an empty view may be one and mean "".
  arguments[2].vtype = RD_KAFKA_VTYPE_VALUE;
  if (draft.value) {
    arguments[2].u.mem.ptr =
        const_cast<char*>(draft.value->empty() ? "" : draft.value->data());
    arguments[2].u.mem.size = draft.value->size();
  }
  arguments[3].vtype = RD_KAFKA_VTYPE_KEY;
  if (!key.empty()) {
    arguments[3].u.mem.ptr = const_cast<char*>(key.data());
    arguments[3].u.mem.size = key.size();
  }
  arguments[4].vtype = RD_KAFKA_VTYPE_HEADERS;
  arguments[4].u.headers = headers.get();
  arguments[5].vtype = RD_KAFKA_VTYPE_OPAQUE;
  arguments[5].u.ptr = wanted;
  const HandleError error(
      rd_kafka_produceva(handle, arguments.data(), arguments.size()));
  if (error) return rd_kafka_error_code(error.get());
  static_cast<void>(headers.release());  // The record has them now.
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

std::string_view KeyOf(const Event& event, KafkaKeyFrom from) noexcept {
  switch (from) {
    case KafkaKeyFrom::kPartitionKey:
      return event.extension("partitionkey").value_or(std::string_view());
    case KafkaKeyFrom::kSubject:
      return event.subject();
    case KafkaKeyFrom::kNone:
      break;
  }
  return {};
}

std::int32_t PartitionIn(std::string_view position) noexcept {
  const std::size_t at = position.rfind('@');
  if (at == std::string_view::npos) return -1;
  const std::size_t slash = position.substr(0, at).rfind('/');
  if (slash == std::string_view::npos || slash + 1 == at) return -1;
  std::int32_t partition = -1;
  const char* const end = position.data() + at;
  const auto read =
      std::from_chars(position.data() + slash + 1, end, partition);
  return read.ec == std::errc() && read.ptr == end && partition >= 0 ? partition
                                                                     : -1;
}

}  // namespace cirro::internal::kafka
