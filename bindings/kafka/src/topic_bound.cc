#include "topic_bound.h"

#include <algorithm>

namespace cirro::internal::kafka {
namespace {

// Of a zigzag varint that is not negative.
constexpr std::size_t VarintBytes(std::size_t value) noexcept {
  std::size_t bytes = 1;
  for (value <<= 1; value >= 0x80; value >>= 7) ++bytes;
  return bytes;
}

}  // namespace

std::size_t WireBytes(const KafkaDraft& draft, std::string_view key) noexcept {
  // Length, attributes, the deltas of time and offset, the lengths of key and
  // value, the count of headers: each as long as it can be.
  constexpr std::size_t kOverhead = 5 + 1 + 10 + 5 + 5 + 5 + 5;
  std::size_t bytes = kOverhead + key.size();
  if (draft.value) bytes += draft.value->size();
  for (const KafkaDraft::Header& header : draft.headers) {
    bytes += VarintBytes(header.name.size()) + header.name.size() +
             VarintBytes(header.value.size()) + header.value.size();
  }
  return bytes;
}

std::size_t TopicBound::MostBytes(TimePoint now) const noexcept {
  const bool known = now.time_since_epoch().count() < known_until_.load();
  return known ? record_.load() : own_;
}

void TopicBound::Begin(TimePoint now) noexcept {
  groups_.clear();
  if (now >= group_until_) group_ = own_;
}

bool TopicBound::IsFullFor(std::size_t bytes) const noexcept {
  if (group_ == own_ || groups_.empty()) return false;
  const Group& last = groups_.back();
  return last.records > 0 && last.bytes + bytes > group_;
}

void TopicBound::BeginGroup() { groups_.emplace_back(); }

std::uint32_t TopicBound::Wrote(std::size_t bytes) {
  if (groups_.empty()) groups_.emplace_back();
  Group& last = groups_.back();
  last.bytes += bytes;
  ++last.records;
  return static_cast<std::uint32_t>(groups_.size() - 1);
}

void TopicBound::Refused(std::uint32_t group, std::size_t bytes,
                         TimePoint now) noexcept {
  const Group& its = groups_[group];
  group_until_ = now + kKnown;
  if (its.records > 1) {
    group_ = std::min(group_, its.bytes / 2);
    return;
  }
  const std::size_t least = bytes == 0 ? 0 : bytes - 1;
  record_ = std::min(MostBytes(now), least);
  known_until_ = (now + kKnown).time_since_epoch().count();
  group_ = std::min(group_, least);
}

}  // namespace cirro::internal::kafka
