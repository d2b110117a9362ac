#include "cirro/dispatch/letter_box.h"

#include <charconv>
#include <tuple>
#include <variant>

namespace cirro {
namespace {

bool Is(std::string_view wanted, std::string_view value) noexcept {
  return wanted.empty() || wanted == value;
}

}  // namespace

bool Fits(const LetterFilter& filter, const KeptLetter& kept) noexcept {
  const DeadLetterFacts& facts = kept.letter.facts;
  if (kept.redriven && !filter.redriven) return false;
  if (filter.reason && *filter.reason != facts.reason) return false;
  if (!Is(filter.function, facts.function)) return false;
  if (!Is(filter.inlet, facts.inlet)) return false;
  if (!Is(filter.position, facts.position) &&
      filter.position != SplitPosition(facts.position).stream) {
    return false;
  }
  if (filter.since && (!facts.time || *facts.time < *filter.since)) {
    return false;
  }
  if (filter.until && (!facts.time || *facts.time >= *filter.until)) {
    return false;
  }
  if (const auto* event = std::get_if<Event>(&kept.letter.content)) {
    return Is(filter.type, event->type()) &&
           Is(filter.source, event->source()) &&
           Is(filter.event_id, event->id());
  }
  return filter.type.empty() && filter.source.empty() &&
         filter.event_id.empty();
}

LetterPosition SplitPosition(std::string_view position) noexcept {
  const std::size_t sign = position.rfind('@');
  if (sign == std::string_view::npos) return {.stream = position};
  std::int64_t number = -1;
  const char* const end = position.data() + position.size();
  const auto read = std::from_chars(position.data() + sign + 1, end, number);
  if (read.ec != std::errc() || read.ptr != end || number < 0) {
    return {.stream = position};
  }
  return {.stream = position.substr(0, sign), .number = number};
}

bool CameBefore(const DeadLetterFacts& a, const DeadLetterFacts& b) noexcept {
  const LetterPosition at = SplitPosition(a.position);
  const LetterPosition bt = SplitPosition(b.position);
  const Timestamp a_time = a.time.value_or(Timestamp{});
  const Timestamp b_time = b.time.value_or(Timestamp{});
  // What has no number is in no stream of order: its time alone tells.
  const std::string_view a_stream = at.number < 0 ? "" : at.stream;
  const std::string_view b_stream = bt.number < 0 ? "" : bt.stream;
  return std::tie(a.inlet, a_stream, at.number, a_time) <
         std::tie(b.inlet, b_stream, bt.number, b_time);
}

Result<std::uint64_t> LetterBox::RemoveAll(std::span<const std::string> ids) {
  std::uint64_t count = 0;
  for (const std::string& id : ids) {
    const auto removed = Remove(id);
    if (!removed) return removed.error();
    if (*removed) ++count;
  }
  return count;
}

}  // namespace cirro
