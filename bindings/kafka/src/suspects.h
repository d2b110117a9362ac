#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "cirro/dispatch/offset_map.h"

namespace cirro::internal::kafka {

/// Finds the record that kills the process, of one partition.
///
/// A process that dies says nothing. So each assignment that begins is counted
/// in the commit's metadata until one ends in good order or gets on. Where two
/// in a row neither did, one record at a time is run, charged with a death
/// before it is and discharged after it: the charge that stays is the
/// culprit's. It goes on so until it is past all that could have been in
/// flight, and neighbours are never blamed.
///
/// A revoke and a stop say that nobody died, whatever is still open then.
///
/// Pure: whoever owns it commits what it says before he goes on. One thread at
/// a time.
class Suspects {
 public:
  /// Unfinished starts after which one record at a time is run. One may be a
  /// crash of the machine, or an operator.
  static constexpr std::uint32_t kStarts = 2;

  explicit Suspects(std::uint32_t max_crashes) : max_crashes_(max_crashes) {}

  /// An assignment begins at `base`; `last` is what the commit before it said,
  /// null where that is not known. What was in flight is before `horizon`, and
  /// before `last->next` where the one before was active.
  void Begin(const OffsetMap* last, std::uint64_t base, std::uint64_t horizon);

  /// Whether one record at a time is to be run.
  [[nodiscard]] bool active() const noexcept { return active_; }
  /// While it is: the first offset that is no suspect.
  [[nodiscard]] std::uint64_t horizon() const noexcept { return horizon_; }
  /// For the metadata, as OffsetMap has them.
  [[nodiscard]] std::uint32_t starts() const noexcept { return starts_; }
  [[nodiscard]] const std::vector<OffsetCount>& crashes() const noexcept {
    return crashes_;
  }

  /// Whether the process died over it so often that it is not run again.
  [[nodiscard]] bool IsGivenUp(std::uint64_t offset) const noexcept;
  /// It is about to be run alone. To be committed before it is.
  void Charge(std::uint64_t offset);
  /// The process lived.
  void Discharge(std::uint64_t offset) noexcept;
  /// Everything before `position` is done.
  void MoveTo(std::uint64_t position) noexcept;

 private:
  const std::uint32_t max_crashes_;
  bool active_ = false;
  std::uint32_t starts_ = 1;
  std::uint64_t base_ = 0;
  std::uint64_t horizon_ = 0;
  std::vector<OffsetCount> crashes_;  // In ascending order.
};

/// Takes back from `last` what an assignment wrote in it that went without a
/// last word, of a process that lives: its start, and its charge. Nothing where
/// another one ended clean since.
void Forgive(std::optional<std::uint64_t> charged, OffsetMap& last);

}  // namespace cirro::internal::kafka
