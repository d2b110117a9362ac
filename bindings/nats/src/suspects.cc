#include "suspects.h"

#include <algorithm>

namespace cirro::internal::nats {

void Suspects::Excuse(std::uint64_t sequence, std::uint64_t delivered) {
  const auto [known, is_new] =
      excused_.try_emplace(sequence, Excused{delivered, last_ticket_ + 1});
  if (!is_new) {
    known->second.delivered = std::max(known->second.delivered, delivered);
    return;
  }
  order_.push_back({sequence, ++last_ticket_});
  while (excused_.size() > most_ || order_.size() > 2 * most_) {
    const auto oldest = excused_.find(order_.front().sequence);
    if (oldest != excused_.end() &&
        oldest->second.ticket == order_.front().ticket) {
      excused_.erase(oldest);
    }
    order_.pop_front();
  }
}

void Suspects::Clear() noexcept {
  excused_.clear();
  order_.clear();
}

bool Suspects::IsSuspect(std::uint64_t sequence, std::uint64_t delivered,
                         bool there_are) const noexcept {
  const auto known = excused_.find(sequence);
  return known == excused_.end() ? delivered > (there_are ? 1 : 2)
                                 : delivered > known->second.delivered + 1;
}

}  // namespace cirro::internal::nats
