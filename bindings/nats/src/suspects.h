#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>

namespace cirro::internal::nats {

/// Tells a message that comes again because somebody gave it back from one that
/// comes again because nobody did: its process may have died over it. The
/// server counts deliveries and says no more, so what is known of a delivery
/// that ended well is kept here: this process's own, and what the server's
/// advisories say of others'.
class Suspects {
 public:
  /// `most`: messages to know of; beyond them the oldest are forgotten.
  explicit Suspects(std::size_t most) noexcept : most_(most) {}

  /// Delivery number `delivered` of a message was given back, or never begun.
  void Excuse(std::uint64_t sequence, std::uint64_t delivered);
  /// It will not come again.
  void Forget(std::uint64_t sequence) noexcept { excused_.erase(sequence); }
  /// Sequences mean other messages from now on.
  void Clear() noexcept;

  /// Whether the delivery before number `delivered` ended without a word. Where
  /// none of its deliveries is known one may: a process that begins has not
  /// heard what the one before gave back, and a restart in good order is not to
  /// be run one message at a time. Not so while `there_are`, lest one of them
  /// is blamed for another's deed.
  [[nodiscard]] bool IsSuspect(std::uint64_t sequence, std::uint64_t delivered,
                               bool there_are = false) const noexcept;

 private:
  struct Excused {
    std::uint64_t delivered;
    std::uint64_t ticket;
  };
  struct Turn {
    std::uint64_t sequence;
    std::uint64_t ticket;
  };

  const std::size_t most_;
  std::unordered_map<std::uint64_t, Excused> excused_;
  // Oldest first; of those that were forgotten, too.
  std::deque<Turn> order_;
  std::uint64_t last_ticket_ = 0;
};

}  // namespace cirro::internal::nats
