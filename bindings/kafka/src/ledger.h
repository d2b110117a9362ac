#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cirro/dispatch/offset_map.h"
#include "cirro/dispatch/watermark.h"
#include "suspects.h"

namespace cirro::internal::kafka {

/// What is known of one assigned partition: what was delivered and is done, how
/// often each was tried, whether the process died over one, and with that what
/// to commit. Pure; one thread at a time.
class Ledger {
 public:
  struct Limits {
    std::uint32_t max_span = Watermark::kLongestSpan;
    std::uint32_t max_crashes = 3;
    bool offset_map = true;
    /// What the maps are of.
    std::string place{};
  };

  /// What to do with the next record of the partition.
  enum class Take : std::uint8_t {
    kDeliver,
    kPassOver,  ///< It is done, or open.
    kHold,      ///< There is no room for it now.
    kCommit,    ///< There is, after what ToCommit says is committed.
  };
  struct Commit {
    std::uint64_t offset = 0;
    std::string metadata{};
  };

  explicit Ledger(const Limits& limits);

  /// An assignment begins at `position`; `end` is the partition's. `last` is
  /// what the commit of `position` said, null where it said nothing.
  void Begin(const OffsetMap* last, std::uint64_t position, std::uint64_t end);

  /// The next record, `offset`, is there. kDeliver makes it open.
  [[nodiscard]] Take Arrived(std::uint64_t offset);
  /// Whether Arrived would charge it now with a death that may come.
  [[nodiscard]] bool RunsAlone(std::uint64_t offset) const;
  /// Of an open one: which attempt comes, and whether it is not to be run.
  [[nodiscard]] int AttemptOf(std::uint64_t offset) const;
  [[nodiscard]] bool IsGivenUp(std::uint64_t offset) const noexcept {
    return suspects_.IsGivenUp(offset);
  }

  /// It is done. False where it was not open.
  bool Done(std::uint64_t offset);
  /// It is given back: it stays undone. False where it was not open.
  bool GivenBack(std::uint64_t offset);
  /// One that was given back is to be read again: Arrived says kDeliver to it.
  void Again(std::uint64_t offset);
  /// Where the reader goes on: the first that is to be read again, else next().
  [[nodiscard]] std::uint64_t ReadsFrom() const noexcept;
  /// What is before `begin` left the partition: what of it is to be read again
  /// never comes, and neither does what was not read. How many those are, of
  /// which some may have been no records.
  std::uint64_t Gone(std::uint64_t begin);
  /// So many attempts of it failed.
  void Failed(std::uint64_t offset, int attempts);
  /// The reader is at `next`: what is before it never comes, or came.
  void PassTo(std::uint64_t next);

  /// What there is to commit, clean where the assignment ends in good order:
  /// then nobody died of what is still open, and it is charged with nothing.
  /// The metadata have at most so many bytes.
  [[nodiscard]] Commit ToCommit(bool clean, std::size_t most_bytes) const;
  /// Whether what was committed last is not what is so now.
  [[nodiscard]] bool IsStale() const noexcept { return changes_ != committed_; }
  /// Names the state that ToCommit tells, for Committed.
  [[nodiscard]] std::uint64_t version() const noexcept { return changes_; }
  void Committed(std::uint64_t version) noexcept;

  /// Delivered and neither done nor given back.
  [[nodiscard]] std::uint32_t open() const noexcept { return open_; }
  [[nodiscard]] std::uint64_t position() const noexcept {
    return watermark_.position();
  }
  [[nodiscard]] std::uint64_t next() const noexcept {
    return watermark_.next();
  }
  /// How many offsets before `end` are not done; those that a commit's map says
  /// are done count until the reader has passed them.
  [[nodiscard]] std::uint64_t Unsettled(std::uint64_t end) const noexcept {
    return end - std::min(end, watermark_.next()) + watermark_.open();
  }
  /// Something open keeps the span at its bound.
  [[nodiscard]] bool AtSpanBound() const noexcept { return at_bound_; }
  [[nodiscard]] bool suspicious() const noexcept { return suspects_.active(); }
  /// While it is: the first offset that is no suspect.
  [[nodiscard]] std::uint64_t suspect_until() const noexcept {
    return suspects_.horizon();
  }
  /// What runs as a suspect, and is charged with a death that may come.
  [[nodiscard]] std::optional<std::uint64_t> charged() const noexcept {
    if (charged_ == 0) return std::nullopt;
    return charged_ - 1;
  }

 private:
  void Moved();
  [[nodiscard]] bool IsToBeCharged(std::uint64_t offset) const noexcept;
  bool Charge(std::uint64_t offset);

  const Limits limits_;
  Watermark watermark_;
  Suspects suspects_;
  std::map<std::uint64_t, std::uint32_t> attempts_;
  std::map<std::uint64_t, bool> given_back_;  // True: to be read again.
  std::uint64_t end_ = 0;      // The reader was there; past the last record.
  std::uint64_t charged_ = 0;  // One more than the offset; 0: none.
  std::uint64_t changes_ = 0;
  std::uint64_t committed_ = 0;
  std::uint32_t open_ = 0;
  bool at_bound_ = false;
  bool was_suspicious_ = false;  // And no commit said since that it is not.
};

}  // namespace cirro::internal::kafka
