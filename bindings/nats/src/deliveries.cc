#include "deliveries.h"

#include <algorithm>

namespace cirro::internal::nats {
namespace {

constexpr std::size_t kRemembered = 4'096;

}  // namespace

DeliveryToken Deliveries::Add(const char* reply, const AckReply& facts,
                              std::size_t bytes, bool suspect) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
    // So that Remove needs no memory.
    free_.reserve(slots_.capacity());
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  OpenMessage& message = slots_[slot];
  message.reply = reply;
  message.facts = facts;
  message.bytes = bytes;
  message.open = true;
  message.suspect = suspect;
  message.alone = false;
  ++message.uses;
  ++count_;
  bytes_ += bytes;
  return {(static_cast<std::uint64_t>(message.uses) << 32) | slot,
          facts.sequence};
}

OpenMessage* Deliveries::Find(DeliveryToken token) noexcept {
  const auto slot = static_cast<std::uint32_t>(token.high);
  if (slot >= slots_.size()) return nullptr;
  OpenMessage& message = slots_[slot];
  const bool same = message.open && message.uses == token.high >> 32 &&
                    message.facts.sequence == token.low;
  return same ? &message : nullptr;
}

OpenMessage* Deliveries::FindSame(const AckReply& facts) noexcept {
  const auto found =
      std::find_if(slots_.begin(), slots_.end(), [&](const OpenMessage& m) {
        return m.open && m.facts.sequence == facts.sequence &&
               m.facts.stored_at == facts.stored_at;
      });
  return found == slots_.end() ? nullptr : &*found;
}

void Deliveries::Remove(OpenMessage& message, bool acknowledged) noexcept {
  if (acknowledged) {
    if (acknowledged_.empty()) acknowledged_.resize(kRemembered);
    acknowledged_[next_acknowledged_] = {message.facts.sequence,
                                         message.facts.stored_at};
    next_acknowledged_ = (next_acknowledged_ + 1) % kRemembered;
  }
  message.open = false;
  --count_;
  bytes_ -= message.bytes;
  free_.push_back(static_cast<std::uint32_t>(&message - slots_.data()));
}

bool Deliveries::WasAcknowledged(const AckReply& facts) const noexcept {
  return std::any_of(acknowledged_.begin(), acknowledged_.end(),
                     [&](const Acknowledged& known) {
                       return known.sequence == facts.sequence &&
                              known.stored_at == facts.stored_at;
                     });
}

OpenMessage* Deliveries::AnyOpen() noexcept {
  const auto found =
      std::find_if(slots_.begin(), slots_.end(),
                   [](const OpenMessage& message) { return message.open; });
  return found == slots_.end() ? nullptr : &*found;
}

void Deliveries::Clear() noexcept {
  for (OpenMessage& message : slots_) {
    if (message.open) Remove(message, false);
  }
  acknowledged_.clear();
  next_acknowledged_ = 0;
}

}  // namespace cirro::internal::nats
