#include "letter_topic.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "cirro/kafka/inlet_options.h"
#include "cirro/kafka/kafka.h"
#include "properties.h"
#include "topic_partitions.h"

namespace cirro::internal::kafka {
namespace {

using AdminOptions = std::unique_ptr<rd_kafka_AdminOptions_t,
                                     Destroy<&rd_kafka_AdminOptions_destroy>>;
using DeleteRecords = std::unique_ptr<rd_kafka_DeleteRecords_t,
                                      Destroy<&rd_kafka_DeleteRecords_destroy>>;

// Those of them that lie above `base`, which is raised to the end of the one
// that it lies in.
void Clip(std::uint64_t& base, std::vector<OffsetRun>& done) {
  while (!done.empty() && done.front().begin <= base) {
    base = std::max(base, done.front().end);
    done.erase(done.begin());
  }
}

// A record so near is reached by reading on, and not by another fetch.
constexpr std::uint64_t kNear = 1'000;

}  // namespace

Result<std::unique_ptr<LetterTopic>> LetterTopic::Make(
    const KafkaOutletOptions& options, Observer& observer) {
  // Reading is of a consumer, whose group is never joined.
  KafkaInletOptions reads;
  reads.name = options.name;
  reads.connection = options.connection;
  reads.topics = {options.topic};
  reads.group = kKafkaLetterGroup;
  // What the outlet itself would not take is told in its words.
  if (auto writes = ProducerProperties(options); !writes) {
    return std::move(writes).error();
  }
  auto properties = ConsumerProperties(reads);
  if (!properties) return std::move(properties).error();
  auto made = std::unique_ptr<LetterTopic>(new LetterTopic(options, observer));
  auto conf = MakeConf(*properties, made->voice_);
  if (!conf) return std::move(conf).error();
  auto handle = MakeHandle(RD_KAFKA_CONSUMER, *std::move(conf));
  if (!handle) return std::move(handle).error();
  rd_kafka_poll_set_consumer(handle->get());
  made->handle_ = *std::move(handle);
  return made;
}

Error LetterTopic::Failed(const std::string& what,
                          rd_kafka_resp_err_t code) const {
  return TopicFailed(topic_, what, code);
}

Result<std::map<std::int32_t, LetterPartition>> LetterTopic::Ask() {
  auto list = AskPartitions(handle_.get(), {topic_}, "topic", timeout_);
  if (!list) return std::move(list).error();
  const Positions positions(handle_.get(), **list, timeout_);
  const auto bounds =
      AskPatiently(timeout_, [&] { return positions.AskBounds(); });
  if (!bounds) return bounds.error();
  const auto code = rd_kafka_committed(handle_.get(), list->get(), Patience());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Failed("what was redriven is not known", code);
  }
  std::map<std::int32_t, LetterPartition> partitions;
  for (int i = 0; i < (*list)->cnt; ++i) {
    const auto& element = (*list)->elems[i];
    if (element.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return Failed("what was redriven is not known", element.err);
    }
    LetterPartition& partition = partitions[element.partition];
    partition.bounds = bounds->at({topic_, element.partition});
    partition.map.base = partition.bounds.begin;
    if (element.offset < 0) continue;
    const auto committed = static_cast<std::uint64_t>(element.offset);
    const std::string where =
        std::to_string(element.partition) + "@" + std::to_string(committed);
    if (committed > partition.bounds.end) {
      voice_.Say(LogLevel::kWarning,
                 "what group '" + std::string(kKafkaLetterGroup) +
                     "' committed (" + where +
                     ") is of another topic of that name, and ignored");
      continue;
    }
    partition.map.base = std::max(partition.map.base, committed);
    const std::string_view metadata(
        static_cast<const char*>(element.metadata),
        element.metadata == nullptr ? 0 : element.metadata_size);
    auto map = DecodeOffsetMap(metadata, committed, partition.bounds.end);
    if (!map) {
      voice_.Say(LogLevel::kWarning,
                 "the metadata of the commit at " + where +
                     " are ignored: " + map.error().message);
    } else {
      partition.map.done = std::move(map->done);
      Clip(partition.map.base, partition.map.done);
    }
  }
  return partitions;
}

Result<void> LetterTopic::Assign(std::int32_t partition, std::uint64_t offset) {
  const PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), partition)
      ->offset = static_cast<std::int64_t>(offset);
  const auto code = rd_kafka_assign(handle_.get(), list.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Failed("it cannot be read", code);
  }
  partition_ = partition;
  next_ = offset;
  return {};
}

Result<void> LetterTopic::Read(std::int32_t partition, std::uint64_t begin,
                               std::uint64_t end, const Visit& visit) {
  if (begin >= end) return {};
  if (partition != partition_ || begin < next_ || begin - next_ > kNear) {
    if (auto assigned = Assign(partition, begin); !assigned) return assigned;
  }
  while (next_ < end) {
    const HandleMessage message(
        rd_kafka_consumer_poll(handle_.get(), Patience()));
    if (!message) {
      partition_ = -1;
      return Failed(
          "nothing was read for " + std::to_string(timeout_.count()) + " ms",
          RD_KAFKA_RESP_ERR__TIMED_OUT);
    }
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      // Behind the last record are marks of transactions, or nothing.
      partition_ = -1;
      return {};
    }
    if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
        message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
      partition_ = -1;
      return Error{ErrorCode::kUnavailable,
                   "topic '" + topic_ +
                       "': records were removed meanwhile; "
                       "try again"};
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;  // It goes on.
    const auto offset = static_cast<std::uint64_t>(message->offset);
    next_ = offset + 1;
    if (offset < begin) continue;
    if (offset >= end) {
      partition_ = -1;  // Whoever wants this one reads it again.
      return {};
    }
    const auto more = visit(*message);
    if (!more) return more.error();
    if (!*more) return {};
  }
  return {};
}

Result<void> LetterTopic::Commit(std::int32_t partition, const OffsetMap& map) {
  const std::string metadata = EncodeOffsetMap(map);
  const auto read = DecodeOffsetMap(metadata, map.base, map.next);
  if (!read || read->done != map.done) {
    return Error{
        ErrorCode::kOverloaded,
        "topic '" + topic_ + "': that " + std::to_string(partition) + "@" +
            std::to_string(map.done.back().end - 1) +
            " was redriven cannot be remembered: a commit has room for " +
            std::to_string(kMostMetadataBytes) +
            " bytes, and too much before it is not redriven. Redrive what is "
            "before it, from " +
            std::to_string(partition) + "@" + std::to_string(map.base)};
  }
  const PartitionList list(rd_kafka_topic_partition_list_new(1));
  auto* const element =
      rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), partition);
  element->offset = static_cast<std::int64_t>(map.base);
  element->metadata = strdup(metadata.c_str());  // The list frees it.
  element->metadata_size = metadata.size();
  const HandleQueue queue(rd_kafka_queue_new(handle_.get()));
  auto code = rd_kafka_commit_queue(handle_.get(), list.get(), queue.get(),
                                    nullptr, nullptr);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const HandleEvent event(rd_kafka_queue_poll(queue.get(), Patience()));
    code = event ? rd_kafka_event_error(event.get())
                 : RD_KAFKA_RESP_ERR__TIMED_OUT;
    const auto* const answer =
        event ? rd_kafka_event_topic_partition_list(event.get()) : nullptr;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && answer != nullptr &&
        answer->cnt > 0) {
      code = answer->elems[0].err;
    }
  }
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return Failed("group '" + std::string(kKafkaLetterGroup) +
                    "' cannot commit what was redriven (nobody may be a "
                    "member of it)",
                code);
}

Result<void> LetterTopic::DeleteBefore(
    const std::map<std::int32_t, std::uint64_t>& offsets) {
  const PartitionList list(
      rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
  for (const auto& [partition, offset] : offsets) {
    rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), partition)
        ->offset = static_cast<std::int64_t>(offset);
  }
  const DeleteRecords wanted(rd_kafka_DeleteRecords_new(list.get()));
  const AdminOptions options(rd_kafka_AdminOptions_new(
      handle_.get(), RD_KAFKA_ADMIN_OP_DELETERECORDS));
  rd_kafka_AdminOptions_set_request_timeout(options.get(), Patience(), nullptr,
                                            0);
  const HandleQueue queue(rd_kafka_queue_new(handle_.get()));
  rd_kafka_DeleteRecords_t* request = wanted.get();
  rd_kafka_DeleteRecords(handle_.get(), &request, 1, options.get(),
                         queue.get());
  const HandleEvent event(rd_kafka_queue_poll(queue.get(), 2 * Patience()));
  const std::string what = "its oldest records cannot be removed";
  if (!event) return Failed(what, RD_KAFKA_RESP_ERR__TIMED_OUT);
  auto code = rd_kafka_event_error(event.get());
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const auto* const answer = rd_kafka_DeleteRecords_result_offsets(
        rd_kafka_event_DeleteRecords_result(event.get()));
    for (int i = 0; i < answer->cnt; ++i) {
      if (answer->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        code = answer->elems[i].err;
      }
    }
  }
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return Failed(what, code);
}

}  // namespace cirro::internal::kafka
