#include "shared_inlet.h"

#include <utility>

namespace cirro::internal::memory {

SharedInlet::~SharedInlet() { static_cast<void>(Stop({})); }

Result<void> SharedInlet::Start(Sink& sink) {
  auto joined = shell_.core().Join(shell_.options(), shell_.loop());
  if (!joined) return std::move(joined).error();
  member_ = *joined;
  return shell_.Start(sink);
}

Turns::Turned SharedInlet::Turn() noexcept {
  SettlePosted();
  Turned turned;
  const bool reachable = shell_.core().reachable();
  shell_.SetLink(reachable ? LinkState::Kind::kConnected
                           : LinkState::Kind::kDisconnected);
  if (shell_.wants(open_)) {
    fetched_.clear();
    turned.next = shell_.core().Take(shell_.options().group, shell_.room(open_),
                                     fetched_);
    for (Fetched& one : fetched_) {
      AddDelivery(one, shell_.info(), *this, one.token, batch_);
    }
    turned.delivered = batch_.size();
    open_ += batch_.size();
    shell_.Deliver(batch_);
  }
  shell_.SetLag(shell_.core().LagOf(shell_.options().group));
  next_ = turned.next;
  return turned;
}

void SharedInlet::SettlePosted() {
  shell_.loop().TakePosted(said_);
  if (said_.empty()) return;
  ends_.clear();
  for (const Said& said : said_) {
    ends_.push_back({.token = said.token,
                     .done = said.kind == Said::Kind::kDone,
                     .counts = said.counts,
                     .delay = said.delay});
  }
  open_ -= said_.size();
  shell_.core().Settle(shell_.options().group, ends_);
}

void SharedInlet::Settle(DeliveryToken token, Settlement settlement) noexcept {
  if (!ended_) shell_.loop().Post(SaidBy(token, settlement));
}

void SharedInlet::Extend(std::span<const DeliveryToken> tokens) noexcept {
  if (!ended_) shell_.core().Extend(shell_.options().group, tokens);
}

std::string SharedInlet::PositionOf(DeliveryToken token) const {
  return shell_.core().PositionOf(shell_.options().group, token);
}

std::size_t SharedInlet::Pump() { return shell_.loop().Once().delivered; }

Result<void> SharedInlet::Stop(std::chrono::milliseconds grace) noexcept {
  if (ended_) return {};
  shell_.BeginDrain({});
  shell_.loop().Finish(grace);
  ended_ = true;
  SettlePosted();
  if (member_ != 0) shell_.core().Leave(shell_.options().group, member_);
  if (open_ == 0) return {};
  return Error{ErrorCode::kDeadlineExceeded, "inlet '" + shell_.options().name +
                                                 "': " + std::to_string(open_) +
                                                 " deliveries are open"};
}

void SharedInlet::Crash() noexcept {
  ended_ = true;
  shell_.loop().Quit();
  if (member_ != 0) shell_.core().Leave(shell_.options().group, member_);
}

}  // namespace cirro::internal::memory
