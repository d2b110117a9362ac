#include "topic_refusals.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace cirro::internal::kafka {
namespace {

constexpr std::size_t kGroups = 16;

void Mix(std::size_t& digest, std::string_view text) noexcept {
  constexpr std::size_t kPrime = 0x100000001B3;
  digest = (digest ^ std::hash<std::string_view>()(text)) * kPrime;
}

}  // namespace

RecordDigest DigestOf(const KafkaDraft& draft, std::string_view key) noexcept {
  RecordDigest digest{.name = 1, .content = 2};
  bool named = false;
  Mix(digest.content, key);
  Mix(digest.content, draft.value.value_or(std::string_view()));
  for (const KafkaDraft::Header& header : draft.headers) {
    if (header.name == "ce_id" || header.name == "ce_source" ||
        header.name == "cirro-dlq-function") {
      named = named || header.name == "ce_id";
      Mix(digest.name, header.value);
    } else if (header.name == "content-type" || header.name == "ce_type" ||
               header.name == "ce_subject") {
      Mix(digest.content, header.value);
    }
  }
  if (!named) digest.name = digest.content;
  return digest;
}

bool TopicRefusals::any(TimePoint now) const noexcept {
  return now.time_since_epoch().count() < known_until_.load();
}

Result<void> TopicRefusals::Check(const RecordDigest& record,
                                  TimePoint now) const {
  if (!any(now)) return {};
  const MutexLock lock(mutex_);
  if (now < topic_until_) return topic_;
  for (const Known& each : records_) {
    if (now < each.until && (each.record.name == record.name ||
                             each.record.content == record.content)) {
      return each.why;
    }
  }
  return {};
}

bool TopicRefusals::IsSuspect(const RecordDigest& record) const {
  return suspects_.contains(record.name) || suspects_.contains(record.content);
}

bool TopicRefusals::IsFullFor(const RecordDigest& record) const {
  if (most_ == 0 || in_group_ == 0) return false;
  const bool suspect = IsSuspect(record);
  return suspect != group_suspect_ || (suspect && in_group_ >= most_);
}

void TopicRefusals::Wrote(const RecordDigest& record) {
  if (most_ == 0) return;
  if (in_group_++ == 0) group_suspect_ = IsSuspect(record);
}

void TopicRefusals::Refused(const RecordDigest& record, Error why) {
  refused_.push_back(record);
  why_ = std::move(why);
}

void TopicRefusals::RefusedAll(Error why, TimePoint now) {
  KnownUntil(now + kTopicKnown);
  const MutexLock lock(mutex_);
  topic_ = std::move(why);
  topic_until_ = now + kTopicKnown;
}

// Suspects stay where nothing was refused: they may not have been in it.
void TopicRefusals::End(TimePoint now) {
  in_group_ = 0;
  if (refused_.empty()) return;
  const std::vector<RecordDigest> refused = std::exchange(refused_, {});
  suspects_.clear();
  most_ = 0;
  if (refused.size() > 1) {
    most_ = (refused.size() + kGroups - 1) / kGroups;
    for (const RecordDigest& each : refused) {
      suspects_.insert(each.name);
      suspects_.insert(each.content);
    }
    return;
  }
  KnownUntil(now + kRecordKnown);
  const MutexLock lock(mutex_);
  records_.push_back({refused.front(), now + kRecordKnown, why_});
  if (records_.size() > kMostRecords) records_.pop_front();
}

void TopicRefusals::KnownUntil(TimePoint when) noexcept {
  known_until_ = std::max(known_until_.load(), when.time_since_epoch().count());
}

}  // namespace cirro::internal::kafka
