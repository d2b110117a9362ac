#include "positions.h"

#include <span>

namespace cirro::internal::kafka {
namespace {

std::span<const rd_kafka_topic_partition_t> Elements(
    const rd_kafka_topic_partition_list_t& list) {
  return {list.elems, static_cast<std::size_t>(list.cnt)};
}

}  // namespace

// ListOffsets takes a time, or one of two signs: Kafka protocol, ListOffsets,
// "timestamp".
Result<PartitionList> Positions::Ask(std::int64_t what) const {
  PartitionList asked(rd_kafka_topic_partition_list_copy(&list_));
  for (int i = 0; i < asked->cnt; ++i) asked->elems[i].offset = what;
  auto code = rd_kafka_offsets_for_times(handle_, asked.get(),
                                         static_cast<int>(patience_.count()));
  for (const auto& element : Elements(*asked)) {
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = element.err;
  }
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return asked;
  return Error{code == RD_KAFKA_RESP_ERR__TIMED_OUT ? ErrorCode::kTimedOut
                                                    : ErrorCode::kUnavailable,
               "the offsets of the partitions are not known: " + TextOf(code)};
}

Result<std::map<Positions::Key, Bounds>> Positions::AskBounds() const {
  const auto begins = Ask(RD_KAFKA_OFFSET_BEGINNING);
  if (!begins) return begins.error();
  const auto ends = AskEnds();
  if (!ends) return ends.error();
  std::map<Key, Bounds> bounds;
  for (const auto& element : Elements(**begins)) {
    bounds[{element.topic, element.partition}].begin =
        element.offset < 0 ? 0 : static_cast<std::uint64_t>(element.offset);
  }
  for (const auto& [key, end] : *ends) bounds[key].end = end;
  return bounds;
}

// ListOffsets has the reader's isolation level, as Fetch has.
Result<std::map<Positions::Key, std::uint64_t>> Positions::AskEnds() const {
  const auto found = Ask(RD_KAFKA_OFFSET_END);
  if (!found) return found.error();
  std::map<Key, std::uint64_t> ends;
  for (const auto& element : Elements(**found)) {
    ends[{element.topic, element.partition}] =
        element.offset < 0 ? 0 : static_cast<std::uint64_t>(element.offset);
  }
  return ends;
}

Result<std::map<Positions::Key, std::uint64_t>> Positions::AskTime(
    const Timestamp& time) const {
  constexpr std::int64_t kMilli = 1'000'000;
  const std::int64_t at =
      time.seconds * 1'000 +
      (static_cast<std::int64_t>(time.nanoseconds) + kMilli - 1) / kMilli;
  const auto found = Ask(at < 0 ? 0 : at);
  if (!found) return found.error();
  auto offsets = AskEnds();
  if (!offsets) return offsets;
  for (const auto& element : Elements(**found)) {
    if (element.offset < 0) continue;
    (*offsets)[{element.topic, element.partition}] =
        static_cast<std::uint64_t>(element.offset);
  }
  return offsets;
}

}  // namespace cirro::internal::kafka
