#include "kafka_replay.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cirro/kafka/codec.h"
#include "handles.h"
#include "positions.h"
#include "properties.h"
#include "record_view.h"
#include "topic_partitions.h"

namespace cirro::internal::kafka {
namespace {

using Kind = ReplayPoint::Kind;
using Offsets = std::map<Positions::Key, std::uint64_t>;

constexpr std::chrono::milliseconds kPatience{10'000};
// Fetched ahead, of each partition.
constexpr std::uint32_t kAheadMessages = 10'000;
constexpr std::size_t kAheadBytes = std::size_t{1} << 20;

std::string NameOf(const Positions::Key& key) {
  return key.first + "/" + std::to_string(key.second);
}

// One partition, from what is next up to its end.
struct Reading {
  Positions::Key key;
  std::uint64_t next = 0;
  std::uint64_t end = 0;
  HandleQueue queue{};
  HandleMessage head{};  // The next record, where it was read.
};

// Of a record without a time, the beginning of all.
std::int64_t TimeOf(const rd_kafka_message_t& record) noexcept {
  rd_kafka_timestamp_type_t type{};
  return std::max<std::int64_t>(rd_kafka_message_timestamp(&record, &type), 0);
}

class KafkaReplay final : public Replay {
 public:
  KafkaReplay(const KafkaInletOptions& options, ReplayRange range,
              Observer& observer)
      : topics_(options.topics),
        decode_(options.decode),
        range_(std::move(range)),
        voice_(options.name, observer) {}

  Result<void> Open(const KafkaInletOptions& options) {
    for (const std::string& topic : topics_) {
      if (!topic.starts_with('^')) continue;
      return InvalidOption("topics",
                           "'" + topic +
                               "' is a regular expression, and a replay names "
                               "its topics: --set inlet." +
                               options.name + ".topics=TOPIC");
    }
    // The group is never joined, and nothing is committed for it.
    KafkaInletOptions reads = options;
    reads.group = "cirro-replay";
    reads.instance_id.clear();
    reads.queue_messages = kAheadMessages;
    reads.queue_bytes = kAheadBytes;
    auto properties = ConsumerProperties(reads);
    if (!properties) return std::move(properties).error();
    auto conf = MakeConf(*properties, voice_);
    if (!conf) return std::move(conf).error();
    auto handle = MakeHandle(RD_KAFKA_CONSUMER, *std::move(conf));
    if (!handle) return std::move(handle).error();
    rd_kafka_poll_set_consumer(handle->get());
    handle_ = *std::move(handle);
    return {};
  }

  Result<void> Walk(const Visit& visit) override {
    if (!begun_) {
      if (auto begun = Begin(); !begun) return begun;
      begun_ = true;
    }
    while (true) {
      Reading* first = nullptr;
      std::int64_t first_time = 0;
      for (Reading& each : readings_) {
        if (auto read = ReadHead(each); !read) return read;
        if (!each.head) continue;
        const std::int64_t time = TimeOf(*each.head);
        if (first != nullptr && first_time <= time) continue;
        first = &each;
        first_time = time;
      }
      if (first == nullptr) return {};
      const auto more = visit(MessageOf(*first));
      if (!more) return more.error();
      if (!*more) return {};
      first->next = static_cast<std::uint64_t>(first->head->offset) + 1;
      first->head.reset();
    }
  }

  [[nodiscard]] ReplayRange left() const override {
    if (!begun_) return range_;
    ReplayRange left{.from = {.kind = Kind::kPositions},
                     .until = {.kind = Kind::kPositions}};
    for (const Reading& each : readings_) {
      if (each.next >= each.end) continue;
      left.from.positions[NameOf(each.key)] = each.next;
      left.until.positions[NameOf(each.key)] = each.end;
    }
    return left;
  }

  [[nodiscard]] bool ended() const override {
    return begun_ && std::all_of(readings_.begin(), readings_.end(),
                                 [](const Reading& each) {
                                   return each.next >= each.end;
                                 });
  }

 private:
  Result<void> Begin() {
    readings_.clear();
    const auto all = AskPartitions(handle_.get(), topics_, "topics", kPatience);
    if (!all) return all.error();
    const auto list = Choose(**all);
    if (!list) return list.error();
    const Positions positions(handle_.get(), **list, kPatience);
    const auto bounds =
        AskPatiently(kPatience, [&] { return positions.AskBounds(); });
    if (!bounds) return bounds.error();
    const auto begins = OffsetsOf("--from", range_.from, positions, *bounds);
    if (!begins) return begins.error();
    const auto ends = OffsetsOf("--until", range_.until, positions, *bounds);
    if (!ends) return ends.error();
    for (const auto& [key, range] : *bounds) {
      Reading reading{.key = key,
                      .next = std::max(begins->at(key), range.begin),
                      .end = ends->at(key)};
      if (reading.next >= reading.end) continue;
      if (begins->at(key) < range.begin) {
        voice_.Say(LogLevel::kWarning,
                   "what " + NameOf(key) + " had before offset " +
                       std::to_string(range.begin) + " is no longer there");
      }
      readings_.push_back(std::move(reading));
    }
    return Assign();
  }

  // Those that are meant, of all that there are.
  Result<PartitionList> Choose(const rd_kafka_topic_partition_list_t& all) {
    const bool by_position = range_.from.kind == Kind::kPositions;
    PartitionList chosen(rd_kafka_topic_partition_list_new(all.cnt));
    ReplayPoint::Positions unknown = range_.from.positions;
    if (range_.until.kind == Kind::kPositions) {
      unknown.insert(range_.until.positions.begin(),
                     range_.until.positions.end());
    }
    bool has_number = !range_.partition;
    for (int i = 0; i < all.cnt; ++i) {
      const auto& element = all.elems[i];
      const std::string name = NameOf({element.topic, element.partition});
      unknown.erase(name);
      if (range_.partition && *range_.partition != element.partition) continue;
      has_number = true;
      if (by_position && !range_.from.positions.contains(name)) continue;
      rd_kafka_topic_partition_list_add(chosen.get(), element.topic,
                                        element.partition);
    }
    if (!unknown.empty()) {
      return InvalidOption("--from and --until",
                           "there is no partition '" + unknown.begin()->first +
                               "' in the topics of this inlet");
    }
    if (!has_number) {
      return InvalidOption("--partition",
                           "no topic of this inlet has a partition " +
                               std::to_string(*range_.partition));
    }
    if (chosen->cnt == 0) {
      return InvalidOption("--from", "names no offset of partition " +
                                         std::to_string(*range_.partition));
    }
    return chosen;
  }

  static Result<Offsets> OffsetsOf(
      const char* flag, const ReplayPoint& point, const Positions& positions,
      const std::map<Positions::Key, Bounds>& bounds) {
    if (point.kind == Kind::kTime) {
      return AskPatiently(kPatience,
                          [&] { return positions.AskTime(point.time); });
    }
    Offsets offsets;
    bool within = bounds.empty();
    for (const auto& [key, range] : bounds) {
      std::uint64_t wanted =
          point.kind == Kind::kBeginning ? range.begin : range.end;
      const auto named = point.positions.find(NameOf(key));
      if (point.kind == Kind::kNumber) wanted = point.number;
      if (named != point.positions.end()) wanted = named->second;
      if (wanted <= range.end) {
        within = true;
      } else if (point.kind == Kind::kPositions) {
        return InvalidOption(flag, named->first + " ends at offset " +
                                       std::to_string(range.end));
      }
      offsets[key] = std::min(wanted, range.end);
    }
    if (!within) {
      return InvalidOption(flag, "every partition ends before offset " +
                                     std::to_string(point.number));
    }
    return offsets;
  }

  // Each has a queue of its own, so that the order is not the network's.
  Result<void> Assign() {
    const PartitionList list(rd_kafka_topic_partition_list_new(1));
    for (Reading& each : readings_) {
      each.queue.reset(rd_kafka_queue_get_partition(
          handle_.get(), each.key.first.c_str(), each.key.second));
      rd_kafka_queue_forward(each.queue.get(), nullptr);
      rd_kafka_topic_partition_list_add(list.get(), each.key.first.c_str(),
                                        each.key.second)
          ->offset = static_cast<std::int64_t>(each.next);
    }
    const auto code = rd_kafka_assign(handle_.get(), list.get());
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    return Error{ErrorCode::kUnavailable,
                 "the partitions cannot be read: " + TextOf(code)};
  }

  // Waits until the next record is there, or that there is none.
  static Result<void> ReadHead(Reading& reading) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    auto last = RD_KAFKA_RESP_ERR__TIMED_OUT;
    while (!reading.head && reading.next < reading.end) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(
          until - std::chrono::steady_clock::now());
      if (left.count() <= 0) {
        return TopicFailed(reading.key.first,
                           "partition " + std::to_string(reading.key.second) +
                               " gave nothing for " +
                               std::to_string(kPatience.count()) + " ms",
                           last);
      }
      HandleMessage message(rd_kafka_consume_queue(
          reading.queue.get(), static_cast<int>(left.count())));
      if (!message) continue;
      switch (message->err) {
        case RD_KAFKA_RESP_ERR_NO_ERROR:
          Take(reading, std::move(message));
          break;
        case RD_KAFKA_RESP_ERR__PARTITION_EOF:
          // Behind the last record are marks of transactions, or one that is
          // open, whose records are nobody's yet.
          reading.next = reading.end;
          break;
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
          return Error{ErrorCode::kUnavailable,
                       "topic '" + reading.key.first +
                           "': records were removed meanwhile; try again"};
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
          return TopicFailed(reading.key.first, "it cannot be read",
                             message->err);
        default:
          last = message->err;  // It goes on by itself.
      }
    }
    return {};
  }

  static void Take(Reading& reading, HandleMessage message) noexcept {
    const auto offset = static_cast<std::uint64_t>(message->offset);
    if (offset < reading.next) return;
    if (offset >= reading.end) {
      reading.next = reading.end;
    } else {
      reading.head = std::move(message);
    }
  }

  ReplayedMessage MessageOf(const Reading& reading) {
    const rd_kafka_message_t& record = *reading.head;
    const RecordView view(record, headers_);
    KafkaContent content = decoder_.Decode(view.record());
    ReplayedMessage message{
        .position = NameOf(reading.key) + "@" + std::to_string(record.offset),
        .time = ToTimestamp(std::chrono::sys_time<std::chrono::nanoseconds>(
            std::chrono::milliseconds(TimeOf(record)))),
        .original = std::move(content.original)};
    if (auto* const event = std::get_if<Event>(&content.value)) {
      message.content = std::move(*event);
    } else {
      message.content = std::get<Malformed>(std::move(content.value));
    }
    return message;
  }

  const std::vector<std::string> topics_;
  const DecodeOptions decode_;
  const ReplayRange range_;
  Voice voice_;
  Handle handle_;
  KafkaDecoder decoder_{decode_};
  std::vector<KafkaHeader> headers_;
  bool begun_ = false;
  std::vector<Reading> readings_;  // Their queues go before the handle.
};

}  // namespace

Result<std::unique_ptr<Replay>> OpenKafkaReplay(
    const KafkaInletOptions& options, ReplayRange range, Observer& observer) {
  auto made =
      std::make_unique<KafkaReplay>(options, std::move(range), observer);
  if (auto opened = made->Open(options); !opened) return opened.error();
  return std::unique_ptr<Replay>(std::move(made));
}

}  // namespace cirro::internal::kafka
