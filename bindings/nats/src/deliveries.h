#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ack_reply.h"
#include "cirro/dispatch/settlement.h"

namespace cirro::internal::nats {

/// A message that was delivered here and is not settled.
struct OpenMessage {
  std::string reply{};  ///< Where its settlement is published.
  AckReply facts{};
  std::size_t bytes = 0;
  std::uint32_t uses = 0;  ///< Of its slot, so that an old token finds nothing.
  bool open = false;
  bool suspect = false;
  bool alone = false;  ///< A suspect, and it runs.
};

/// The messages of one inlet that are open, and the last that were
/// acknowledged. One thread at a time.
class Deliveries {
 public:
  [[nodiscard]] DeliveryToken Add(const char* reply, const AckReply& facts,
                                  std::size_t bytes, bool suspect);
  /// Null where it was settled, or belongs to a consumer that is no more.
  [[nodiscard]] OpenMessage* Find(DeliveryToken token) noexcept;
  /// The same message, open from an earlier delivery; or null.
  [[nodiscard]] OpenMessage* FindSame(const AckReply& facts) noexcept;
  /// REQUIRES: it is open. Remembered where it was `acknowledged`.
  void Remove(OpenMessage& message, bool acknowledged) noexcept;
  /// Whether it was acknowledged of late: the word was lost on its way.
  [[nodiscard]] bool WasAcknowledged(const AckReply& facts) const noexcept;
  /// Forgets everything.
  void Clear() noexcept;

  /// One that is open; null: there is none.
  [[nodiscard]] OpenMessage* AnyOpen() noexcept;
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct Acknowledged {
    std::uint64_t sequence = 0;
    // A stream that is made anew counts from 1 again; time it does not.
    std::int64_t stored_at = 0;
  };

  std::vector<OpenMessage> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<Acknowledged> acknowledged_;  // A ring.
  std::size_t next_acknowledged_ = 0;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace cirro::internal::nats
