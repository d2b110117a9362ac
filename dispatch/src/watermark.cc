#include "cirro/dispatch/watermark.h"

#include <algorithm>
#include <bit>

namespace cirro {
namespace {

constexpr std::uint64_t kWordBits = 64;

std::size_t WordsFor(std::uint32_t span) {
  const std::uint64_t bits =
      std::bit_ceil(std::max<std::uint64_t>(span, kWordBits));
  return static_cast<std::size_t>(bits / kWordBits);
}

// Bits `from` until before `to` of one word. REQUIRES: from < to <= 64.
std::uint64_t Bits(std::uint64_t from, std::uint64_t to) noexcept {
  return ~std::uint64_t{0} >> (kWordBits - (to - from)) << from;
}

}  // namespace

Watermark::Watermark(std::uint32_t longest_span)
    : span_(std::max<std::uint32_t>(longest_span, 1)),
      mask_(WordsFor(longest_span) - 1),
      words_(WordsFor(longest_span)) {}

void Watermark::Reset(std::uint64_t position) {
  std::fill(words_.begin(), words_.end(), 0);
  position_ = next_ = end_ = position;
  open_ = 0;
}

void Watermark::Restore(std::uint64_t position,
                        std::span<const OffsetRun> done) {
  Reset(position);
  for (const OffsetRun& run : done) {
    const OffsetRun kept{std::max(run.begin, position),
                         std::min(run.end, position + span_)};
    if (kept.begin >= kept.end) continue;
    Fill(kept, true);
    end_ = std::max(end_, kept.end);
  }
  PassMarked();
}

void Watermark::Advance(std::uint64_t next) noexcept {
  if (open_ > 0) next = std::min(next, position_ + span_);
  if (next > next_) PassOver(next);
}

// What lies from next_ until before `next` never comes. REQUIRES: room.
void Watermark::PassOver(std::uint64_t next) noexcept {
  const std::uint64_t from = next_;
  next_ = next;
  if (open_ > 0) {
    // The position is an open one, below all of these.
    Fill({from, next}, true);
  } else {
    // All before the position is done, so it goes there at once, however far.
    if (next <= position_) return;
    Fill({position_, std::min(next, position_ + span_)}, false);
    position_ = next;
    PassMarked();
  }
  end_ = std::max(end_, next);
}

void Watermark::Fill(OffsetRun run, bool marked) noexcept {
  while (run.begin < run.end) {
    const std::uint64_t first = run.begin % kWordBits;
    const std::uint64_t count =
        std::min(kWordBits - first, run.end - run.begin);
    std::uint64_t& word = words_[WordOf(run.begin)];
    const std::uint64_t bits = Bits(first, first + count);
    word = marked ? word | bits : word & ~bits;
    run.begin += count;
  }
}

// The first of `in` that is marked so, else its end.
std::uint64_t Watermark::Find(OffsetRun in, bool marked) const noexcept {
  while (in.begin < in.end) {
    const std::uint64_t first = in.begin % kWordBits;
    const std::uint64_t word = words_[WordOf(in.begin)];
    const std::uint64_t found = (marked ? word : ~word) >> first;
    if (found != 0) {
      return std::min(in.end, in.begin + static_cast<std::uint64_t>(
                                             std::countr_zero(found)));
    }
    in.begin += kWordBits - first;
  }
  return in.end;
}

// Moves the position to the first that is not marked, and clears the marks.
void Watermark::PassMarked() noexcept {
  if (!Marked(position_)) return;
  const std::uint64_t to = Find({position_, std::max(position_, end_)}, false);
  Fill({position_, to}, false);
  position_ = to;
}

void Watermark::DoneAbove(std::vector<OffsetRun>& runs) const {
  runs.clear();
  for (std::uint64_t at = position_; at < end_;) {
    const std::uint64_t begin = Find({at, end_}, true);
    if (begin == end_) return;
    at = Find({begin, end_}, false);
    runs.push_back({begin, at});
  }
}

}  // namespace cirro
