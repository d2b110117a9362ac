#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "cirro/cloudevents/result.h"
#include "handles.h"

// What an operator reads a topic with: no group has a say in it.
namespace cirro::internal::kafka {

using HandleMessage =
    std::unique_ptr<rd_kafka_message_t, Destroy<&rd_kafka_message_destroy>>;

/// "topic 'x': what: why"; kRefused where the broker's policy is against it,
/// else kUnavailable.
[[nodiscard]] Error TopicFailed(const std::string& topic,
                                const std::string& what,
                                rd_kafka_resp_err_t code);

/// The partitions of these topics. Fails with kInvalidConfig, naming `option`,
/// where there is no such topic, else as TopicFailed.
[[nodiscard]] Result<PartitionList> AskPartitions(
    rd_kafka_t* handle, const std::vector<std::string>& topics,
    std::string_view option, std::chrono::milliseconds patience);

/// What `ask` gives; it is asked again while it says kUnavailable, `patience`
/// at most: a partition without a leader has one soon.
template <typename Ask>
[[nodiscard]] auto AskPatiently(std::chrono::milliseconds patience,
                                const Ask& ask) {
  constexpr std::chrono::milliseconds kBackoff{100};
  const auto until = std::chrono::steady_clock::now() + patience;
  auto answer = ask();
  while (!answer && answer.error().code == ErrorCode::kUnavailable &&
         std::chrono::steady_clock::now() + kBackoff < until) {
    std::this_thread::sleep_for(kBackoff);
    answer = ask();
  }
  return answer;
}

}  // namespace cirro::internal::kafka
