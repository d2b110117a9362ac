#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "cirro/dispatch/settlement.h"

namespace cirro::internal::kafka {

/// What one partition is to send with offsets that are done and not committed:
/// what is above a hole waits here for as long as the hole is open.
class KeptOutputs {
 public:
  /// REQUIRES: nothing is kept with that offset.
  void Put(std::uint64_t offset, std::unique_ptr<Settlement> settlement);
  /// Moves what is kept with offsets before `end` to the end of `to`.
  void TakeBefore(std::uint64_t end,
                  std::vector<std::unique_ptr<Settlement>>& to);
  void Clear() noexcept;

  /// About as much memory as they take.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// Whether something is kept with an offset before `end`.
  [[nodiscard]] bool AnyBefore(std::uint64_t end) const noexcept {
    return !kept_.empty() && kept_.begin()->first < end;
  }

 private:
  std::map<std::uint64_t, std::unique_ptr<Settlement>> kept_{};
  std::size_t bytes_ = 0;
};

}  // namespace cirro::internal::kafka
