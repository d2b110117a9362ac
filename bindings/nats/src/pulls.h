#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "cirro/dispatch/clock.h"

namespace cirro::internal::nats {

/// Which requests for messages are open at the server, and how many messages
/// may still come for them. A message does not say for which one it came, so
/// they are counted together.
class Pulls {
 public:
  struct Ask {
    std::uint64_t id;
    std::size_t batch;
  };

  Pulls(std::size_t batch, Duration expires, Duration heartbeat) noexcept
      : batch_(batch), expires_(expires), heartbeat_(heartbeat) {}

  /// The next request to send, if any, where `room` more messages could be
  /// held if none were on their way. A second one is open while the first is
  /// served, so that the server never waits for us.
  [[nodiscard]] std::optional<Ask> Next(std::size_t room, TimePoint now);

  /// A message came.
  void Arrived(TimePoint now) noexcept;
  /// Request `id` is at its end, with so many of its messages unsent; nothing:
  /// the server did not say.
  void Closed(std::uint64_t id, std::optional<std::size_t> unsent,
              TimePoint now) noexcept;
  /// The server is there: a heartbeat.
  void Heard(TimePoint now) noexcept { heard_ = now; }
  /// Whatever was open is not any more.
  void Reset() noexcept;

  [[nodiscard]] bool open() const noexcept { return !open_.empty(); }
  [[nodiscard]] std::size_t expected() const noexcept { return expected_; }
  /// Whether the server owed a heartbeat, twice: its requests are gone.
  [[nodiscard]] bool IsSilent(TimePoint now) const noexcept {
    return open() && now - heard_ > 2 * heartbeat_;
  }

 private:
  struct Open {
    std::uint64_t id;
    std::size_t batch;
    TimePoint until;
  };
  void Take(std::size_t messages) noexcept;

  const std::size_t batch_;
  const Duration expires_;
  const Duration heartbeat_;
  std::vector<Open> open_;
  std::size_t expected_ = 0;
  std::uint64_t last_id_ = 0;
  TimePoint heard_{};
};

}  // namespace cirro::internal::nats
