#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cirro/cloudevents/export.h"

namespace cirro {

/// Offsets from `begin` until before `end`.
struct OffsetRun {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;

  bool operator==(const OffsetRun&) const = default;
};

/// What of one partition was delivered and what of it is done: where to commit.
///
/// Offsets are delivered in ascending order, with gaps (compaction, transaction
/// markers), and done in any: what was passed over never comes, and counts as
/// done. Nothing is allocated after the constructor. One thread at a time.
/// REQUIRES of every offset: less than 2^63.
class CIRRO_EXPORT Watermark {
 public:
  /// So many offsets always fit the metadata of a commit (OffsetMap).
  static constexpr std::uint32_t kLongestSpan = 16'384;

  enum class Arrival : std::uint8_t {
    kOpen,    ///< It is to be handed on, and Done is to be called.
    kKnown,   ///< It was done, or delivered, before: it is to be passed over.
    kNoRoom,  ///< Nothing changed: it is to be held until it HasRoom.
  };

  /// Begins at offset 0. `longest_span` bounds span(); at least 1.
  explicit Watermark(std::uint32_t longest_span = kLongestSpan);

  /// Forgets everything and begins at `position`.
  void Reset(std::uint64_t position);
  /// Reset to what a commit said: `done` are offsets that need not be delivered
  /// again. Those below `position` or past the longest span are left out.
  void Restore(std::uint64_t position, std::span<const OffsetRun> done);

  /// Whether Delivered takes it. With nothing open there is always room.
  [[nodiscard]] bool HasRoom(std::uint64_t offset) const noexcept {
    return open_ == 0 || offset < position_ || offset - position_ < span_;
  }
  /// The reader has it. One below what was delivered before is kKnown.
  Arrival Delivered(std::uint64_t offset) noexcept {
    if (offset < next_) return Arrival::kKnown;
    if (!HasRoom(offset)) return Arrival::kNoRoom;
    if (offset != next_) PassOver(offset);
    next_ = offset + 1;
    if (end_ < next_) end_ = next_;
    if (IsDone(offset)) return Arrival::kKnown;
    ++open_;
    return Arrival::kOpen;
  }
  /// True where it was open; else (late, twice, never delivered) it is nothing.
  bool Done(std::uint64_t offset) noexcept {
    if (!IsOpen(offset)) return false;
    --open_;
    if (offset == position_) {
      if (Marked(++position_)) PassMarked();
    } else {
      words_[WordOf(offset)] |= std::uint64_t{1} << (offset % 64);
    }
    return true;
  }
  /// The reader is at `next`, past what is no message. With something open, as
  /// far as the span allows.
  void Advance(std::uint64_t next) noexcept;

  /// The offset to commit: the first open one, else the one after all that was
  /// delivered, passed over or restored as done.
  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
  /// One past the newest that was delivered or passed over.
  [[nodiscard]] std::uint64_t next() const noexcept { return next_; }
  /// Offsets from the position to the newest delivered one, both included.
  [[nodiscard]] std::uint64_t span() const noexcept {
    return next_ > position_ ? next_ - position_ : 0;
  }
  [[nodiscard]] std::uint32_t open() const noexcept { return open_; }
  [[nodiscard]] bool IsOpen(std::uint64_t offset) const noexcept {
    return offset >= position_ && offset < next_ && !Marked(offset);
  }
  /// Whether a reader that meets it again may pass it over.
  [[nodiscard]] bool IsDone(std::uint64_t offset) const noexcept {
    return offset < position_ || (offset - position_ < span_ && Marked(offset));
  }
  /// Makes `runs` those of done offsets above the position; none touch.
  void DoneAbove(std::vector<OffsetRun>& runs) const;

 private:
  [[nodiscard]] std::size_t WordOf(std::uint64_t offset) const noexcept {
    return static_cast<std::size_t>(offset / 64) & mask_;
  }
  [[nodiscard]] bool Marked(std::uint64_t offset) const noexcept {
    return (words_[WordOf(offset)] >> (offset % 64) & 1) != 0;
  }
  void Fill(OffsetRun run, bool marked) noexcept;
  [[nodiscard]] std::uint64_t Find(OffsetRun in, bool marked) const noexcept;
  void PassMarked() noexcept;
  void PassOver(std::uint64_t next) noexcept;

  const std::uint64_t span_;
  const std::size_t mask_;

  // A ring: the bit of each offset in [position_, position_ + span_) that is
  // done or no message; never that of position_ itself.
  std::vector<std::uint64_t> words_;
  std::uint64_t position_ = 0;
  std::uint64_t next_ = 0;
  std::uint64_t end_ = 0;  // No mark at or past it.
  std::uint32_t open_ = 0;
};

}  // namespace cirro
