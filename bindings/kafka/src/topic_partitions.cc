#include "topic_partitions.h"

#include "properties.h"

namespace cirro::internal::kafka {
namespace {

using Metadata = std::unique_ptr<const rd_kafka_metadata_t,
                                 Destroy<&rd_kafka_metadata_destroy>>;

}  // namespace

Error TopicFailed(const std::string& topic, const std::string& what,
                  rd_kafka_resp_err_t code) {
  const bool refused = code == RD_KAFKA_RESP_ERR_POLICY_VIOLATION ||
                       code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
                       code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
  return {refused ? ErrorCode::kRefused : ErrorCode::kUnavailable,
          "topic '" + topic + "': " + what + ": " + TextOf(code)};
}

Result<PartitionList> AskPartitions(rd_kafka_t* handle,
                                    const std::vector<std::string>& topics,
                                    std::string_view option,
                                    std::chrono::milliseconds patience) {
  PartitionList list(rd_kafka_topic_partition_list_new(1));
  for (const std::string& name : topics) {
    const Topic topic(rd_kafka_topic_new(handle, name.c_str(), nullptr));
    const rd_kafka_metadata_t* answer = nullptr;
    const auto code = rd_kafka_metadata(handle, 0, topic.get(), &answer,
                                        static_cast<int>(patience.count()));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      // Why not waits in its queue, and would be said after all is over.
      rd_kafka_poll(handle, 0);
      return TopicFailed(name, "no broker answers (see `brokers`)", code);
    }
    const Metadata metadata(answer);
    const rd_kafka_metadata_topic& found = metadata->topics[0];
    if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
      return InvalidOption(option, "there is no topic '" + name + "'");
    }
    if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return TopicFailed(name, "it cannot be read", found.err);
    }
    for (int i = 0; i < found.partition_cnt; ++i) {
      rd_kafka_topic_partition_list_add(list.get(), name.c_str(),
                                        found.partitions[i].id);
    }
  }
  return list;
}

}  // namespace cirro::internal::kafka
