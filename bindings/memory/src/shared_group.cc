#include "group.h"

namespace cirro::internal::memory {

void SharedGroup::WakeAll() noexcept {
  for (auto& [id, waker] : members_) waker->Wake();
}

void SharedGroup::Add(std::uint32_t partition, std::uint64_t begin) {
  const auto [at, is_new] = cursors_.try_emplace(partition, kMostOut);
  if (is_new) at->second.Reset(begin);
}

Watermark* SharedGroup::cursor(std::uint32_t partition) {
  const auto found = cursors_.find(partition);
  return found == cursors_.end() ? nullptr : &found->second;
}

void SharedGroup::Place(std::size_t place, std::uint32_t slot) {
  due_[place] = slot;
  slots_[slot].place = place;
}

// Moves what is at `place` to where its time belongs.
void SharedGroup::Sift(std::size_t place) {
  const std::uint32_t slot = due_[place];
  const TimePoint due = slots_[slot].due;
  while (place > 0 && due < slots_[due_[(place - 1) / 2]].due) {
    Place(place, due_[(place - 1) / 2]);
    place = (place - 1) / 2;
  }
  for (;;) {
    std::size_t child = 2 * place + 1;
    if (child >= due_.size()) break;
    if (child + 1 < due_.size() &&
        slots_[due_[child + 1]].due < slots_[due_[child]].due) {
      ++child;
    }
    if (slots_[due_[child]].due >= due) break;
    Place(place, due_[child]);
    place = child;
  }
  Place(place, slot);
}

void SharedGroup::SetDue(std::uint32_t slot, TimePoint due) {
  slots_[slot].due = due;
  Sift(slots_[slot].place);
}

void SharedGroup::Remove(std::uint32_t slot) {
  const std::size_t place = slots_[slot].place;
  const std::uint32_t last = due_.back();
  due_.pop_back();
  if (last == slot) return;
  Place(place, last);
  Sift(place);
}

DeliveryToken SharedGroup::Send(std::uint32_t slot, TimePoint now) {
  Message& message = slots_[slot];
  message.serial = ++last_serial_;
  message.out = true;
  ++message.attempts;
  SetDue(slot, now + ack_wait_);
  return {message.serial, slot};
}

const SharedGroup::Message* SharedGroup::TakeDue(TimePoint now,
                                                 DeliveryToken& token) {
  if (next_due() > now) return nullptr;
  const std::uint32_t slot = due_.front();
  token = Send(slot, now);
  return &slots_[slot];
}

DeliveryToken SharedGroup::Deliver(std::uint32_t partition,
                                   std::uint64_t offset, TimePoint now) {
  auto slot = static_cast<std::uint32_t>(slots_.size());
  if (free_.empty()) {
    slots_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  slots_[slot] = {
      .partition = partition, .offset = offset, .place = due_.size()};
  due_.push_back(slot);
  return Send(slot, now);
}

const SharedGroup::Message* SharedGroup::Find(DeliveryToken token) const {
  if (token.low >= slots_.size()) return nullptr;
  const Message& message = slots_[static_cast<std::size_t>(token.low)];
  return message.serial == token.high ? &message : nullptr;
}

void SharedGroup::Settle(const SharedEnd& end, TimePoint now) {
  // Of a delivery that another one followed, nothing counts any more.
  if (Find(end.token) == nullptr) return;
  const auto slot = static_cast<std::uint32_t>(end.token.low);
  Message& message = slots_[slot];
  if (!message.out) return;
  if (!end.done) {
    message.out = false;
    if (!end.counts) --message.attempts;
    SetDue(slot, now + end.delay);
    return;
  }
  cursors_.find(message.partition)->second.Done(message.offset);
  Remove(slot);
  message = {};
  free_.push_back(slot);
}

void SharedGroup::Extend(DeliveryToken token, TimePoint now) {
  const Message* const found = Find(token);
  if (found == nullptr || !found->out) return;
  SetDue(static_cast<std::uint32_t>(token.low), now + ack_wait_);
}

}  // namespace cirro::internal::memory
