#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <span>
#include <string>

#include "cirro/dispatch/capabilities.h"
#include "support/memory_inlet.h"

namespace cirro::test {

/// A source that sends what its settlements bring, as far as it can.
class TransactionalInlet final : public MemoryInlet, public Transactional {
 public:
  using MemoryInlet::MemoryInlet;

  /// Of an event's data.
  std::size_t most_bytes = std::numeric_limits<std::size_t>::max();
  /// Places that cannot take a letter.
  std::set<std::uint32_t> full_places{};

  Result<void> Join(std::span<Outlet* const> /*outlets*/,
                    std::span<DeadLetterPlace* const> /*places*/) override {
    return {};
  }
  [[nodiscard]] Result<void> CanSend(
      std::uint32_t outlet, const Event& event) const noexcept override {
    if (event.data().size() <= most_bytes) return {};
    return Error{ErrorCode::kTooLarge,
                 "outlet " + std::to_string(outlet) + " cannot take it"};
  }
  [[nodiscard]] Result<void> CanKeep(
      std::uint32_t place,
      const DeadLetter& /*letter*/) const noexcept override {
    if (!full_places.contains(place)) return {};
    return Error{ErrorCode::kTooLarge,
                 "place " + std::to_string(place) + " cannot take it"};
  }
};

}  // namespace cirro::test
