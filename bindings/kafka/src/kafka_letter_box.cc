#include "kafka_letter_box.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/dispatch/letter_index.h"
#include "cirro/kafka/codec.h"
#include "letter_topic.h"
#include "record_view.h"

namespace cirro::internal::kafka {
namespace {

struct Id {
  std::int32_t partition = 0;
  std::uint64_t offset = 0;

  auto operator<=>(const Id&) const = default;
};

std::string TextOf(const Id& id) {
  return std::to_string(id.partition) + "@" + std::to_string(id.offset);
}

std::optional<Id> IdOf(std::string_view text) noexcept {
  Id id;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, id.partition);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '@' ||
      id.partition < 0) {
    return std::nullopt;
  }
  const auto second = std::from_chars(first.ptr + 1, end, id.offset);
  if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
  return id;
}

bool IsDone(const OffsetMap& map, std::uint64_t offset) noexcept {
  if (offset < map.base) return true;
  const auto run = std::upper_bound(
      map.done.begin(), map.done.end(), offset,
      [](std::uint64_t at, const OffsetRun& each) { return at < each.end; });
  return run != map.done.end() && offset >= run->begin;
}

// Which letters of a partition there are, and which of them were redriven.
class Marks {
 public:
  explicit Marks(const LetterPartition& partition)
      : end_(partition.bounds.end), map_(partition.map) {}

  // In ascending order.
  void Add(std::uint64_t offset) {
    letters_.push_back({offset, IsDone(map_, offset)});
  }

  // False where there is no such letter.
  bool Mark(std::uint64_t offset) {
    if (IsDone(map_, offset)) return true;
    const auto at = std::lower_bound(
        letters_.begin(), letters_.end(), offset,
        [](const Letter& each, std::uint64_t o) { return each.offset < o; });
    if (at == letters_.end() || at->offset != offset) return false;
    at->done = true;
    return true;
  }

  // All that lies between two letters that are done is done.
  [[nodiscard]] OffsetMap ToCommit() const {
    OffsetMap map;
    map.next = end_;
    map.base = end_;
    map.clean = true;
    auto at = std::find_if(letters_.begin(), letters_.end(),
                           [](const Letter& each) { return !each.done; });
    if (at == letters_.end()) return map;
    map.base = at->offset;
    bool in_run = false;
    for (; at != letters_.end(); ++at) {
      if (!at->done) {
        in_run = false;
      } else if (in_run) {
        map.done.back().end = at->offset + 1;
      } else {
        map.done.push_back({at->offset, at->offset + 1});
        in_run = true;
      }
    }
    return map;
  }

 private:
  struct Letter {
    std::uint64_t offset;
    bool done;
  };

  const std::uint64_t end_;
  const OffsetMap map_;
  std::vector<Letter> letters_;
};

std::size_t SizeOf(const rd_kafka_message_t& record) noexcept {
  // The value may be there twice: in the event, and as it came.
  return 2 * (record.len + record.key_len) + 4'096;
}

class Box final : public LetterBox {
 public:
  explicit Box(std::unique_ptr<LetterTopic> topic) : topic_(std::move(topic)) {}

  Result<void> Walk(const LetterFilter& filter, const Visit& visit) override {
    LetterIndex index;
    if (auto filled = Fill(&filter, index); !filled) return filled;
    return index.Walk([this](std::string_view id) { return Read(*IdOf(id)); },
                      visit);
  }

  Result<std::optional<KeptLetter>> Find(std::string_view id) override {
    const auto wanted = IdOf(id);
    if (!wanted) return std::optional<KeptLetter>();
    if (auto asked = Ask(); !asked) return asked.error();
    return Read(*wanted);
  }

  Result<void> MarkRedriven(std::string_view id) override {
    const auto wanted = IdOf(id);
    if (!wanted) return NoLetter(id);
    if (!marks_.contains(wanted->partition)) {
      LetterIndex none;
      if (auto filled = Fill(nullptr, none); !filled) return filled;
    }
    const auto marks = marks_.find(wanted->partition);
    if (marks == marks_.end() || !marks->second.Mark(wanted->offset)) {
      return NoLetter(id);
    }
    return topic_->Commit(wanted->partition, marks->second.ToCommit());
  }

  Result<bool> Remove(std::string_view id) override {
    const std::string text(id);
    const auto count = RemoveAll({&text, 1});
    if (!count) return count.error();
    return *count > 0;
  }

  // Nothing is removed before it is known that all can be.
  Result<std::uint64_t> RemoveAll(std::span<const std::string> ids) override {
    std::map<std::int32_t, std::set<std::uint64_t>> wanted;
    for (const std::string& text : ids) {
      if (const auto id = IdOf(text)) wanted[id->partition].insert(id->offset);
    }
    if (auto asked = Ask(); !asked) return asked.error();
    std::uint64_t count = 0;
    std::map<std::int32_t, std::uint64_t> before;
    for (const auto& [partition, offsets] : wanted) {
      const auto known = partitions_.find(partition);
      if (known == partitions_.end()) continue;
      const std::uint64_t end =
          std::min(*offsets.rbegin() + 1, known->second.bounds.end);
      auto removed = CheckPrefix(partition, known->second, offsets, end);
      if (!removed) return removed;
      if (*removed > 0) before[partition] = end;
      count += *removed;
    }
    if (before.empty()) return count;
    if (auto deleted = topic_->DeleteBefore(before); !deleted) {
      return deleted.error();
    }
    return count;
  }

 private:
  static Error NoLetter(std::string_view id) {
    return {ErrorCode::kInvalidConfig, "there is no letter " + std::string(id)};
  }

  Result<void> Ask() {
    auto partitions = topic_->Ask();
    if (!partitions) return std::move(partitions).error();
    partitions_ = *std::move(partitions);
    return {};
  }

  // Nothing where it is no letter.
  std::optional<KeptLetter> LetterOf(const rd_kafka_message_t& record,
                                     const OffsetMap& map) {
    const RecordView view(record, headers_);
    const Id id{record.partition, static_cast<std::uint64_t>(record.offset)};
    auto letter = DecodeKafkaLetter(view.record(), decode_);
    if (!letter) {
      topic_->voice().Say(LogLevel::kWarning,
                          "record " + TextOf(id) +
                              " is passed over: " + letter.error().message);
      return std::nullopt;
    }
    if (!*letter) return std::nullopt;
    return KeptLetter{TextOf(id), **std::move(letter), IsDone(map, id.offset)};
  }

  // All marks, and what fits. Without a filter the marks alone.
  Result<void> Fill(const LetterFilter* filter, LetterIndex& index) {
    if (auto asked = Ask(); !asked) return asked;
    marks_.clear();
    for (const auto& each : partitions_) {
      const std::int32_t number = each.first;
      const LetterPartition& partition = each.second;
      Marks& marks = marks_.emplace(number, partition).first->second;
      const bool all = filter != nullptr && filter->redriven;
      const std::uint64_t begin =
          all ? partition.bounds.begin : partition.map.base;
      auto read = topic_->Read(
          number, begin, partition.bounds.end,
          [&](const rd_kafka_message_t& record) -> Result<bool> {
            auto kept = LetterOf(record, partition.map);
            if (!kept) return true;
            marks.Add(static_cast<std::uint64_t>(record.offset));
            if (filter == nullptr || !Fits(*filter, *kept)) return true;
            auto added = index.Add(*std::move(kept), SizeOf(record));
            if (!added) return added.error();
            return true;
          });
      if (!read) return read;
    }
    return {};
  }

  Result<std::optional<KeptLetter>> Read(const Id& id) {
    std::optional<KeptLetter> kept;
    const auto partition = partitions_.find(id.partition);
    if (partition == partitions_.end()) return kept;
    const Bounds& bounds = partition->second.bounds;
    if (id.offset < bounds.begin || id.offset >= bounds.end) return kept;
    const auto read =
        topic_->Read(id.partition, id.offset, id.offset + 1,
                     [&](const rd_kafka_message_t& record) -> Result<bool> {
                       kept = LetterOf(record, partition->second.map);
                       return false;
                     });
    if (!read) return read.error();
    return kept;
  }

  // How many of `wanted` there are, where nothing else that counts is before
  // `end`.
  Result<std::uint64_t> CheckPrefix(std::int32_t number,
                                    const LetterPartition& partition,
                                    const std::set<std::uint64_t>& wanted,
                                    std::uint64_t end) {
    std::uint64_t count = 0;
    const auto read = topic_->Read(
        number, partition.bounds.begin, end,
        [&](const rd_kafka_message_t& record) -> Result<bool> {
          const auto offset = static_cast<std::uint64_t>(record.offset);
          const auto kept = LetterOf(record, partition.map);
          if (wanted.contains(offset)) {
            if (kept) ++count;
          } else if (!kept || !kept->redriven) {
            return Error{ErrorCode::kUnsupported,
                         "Kafka forgets records from the beginning of a "
                         "partition alone, and " +
                             TextOf(Id{number, offset}) +
                             (kept ? ", which is not meant,"
                                   : ", which is no dead letter,") +
                             " lies before " +
                             TextOf(Id{number, *wanted.rbegin()}) +
                             ": nothing is removed. Redrive it, or remove it "
                             "too"};
          }
          return true;
        });
    if (!read) return read.error();
    return count;
  }

  const std::unique_ptr<LetterTopic> topic_;
  const DecodeOptions decode_{};
  std::vector<KafkaHeader> headers_;
  std::map<std::int32_t, LetterPartition> partitions_;
  std::map<std::int32_t, Marks> marks_;
};

}  // namespace

Result<std::unique_ptr<LetterBox>> OpenKafkaBox(
    const KafkaOutletOptions& options, Observer& observer) {
  auto topic = LetterTopic::Make(options, observer);
  if (!topic) return std::move(topic).error();
  return std::unique_ptr<LetterBox>(std::make_unique<Box>(*std::move(topic)));
}

}  // namespace cirro::internal::kafka
