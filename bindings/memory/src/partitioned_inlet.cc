#include "partitioned_inlet.h"

#include <algorithm>
#include <utility>

namespace cirro::internal::memory {
namespace {

DeliveryToken TokenOf(const PartitionReader& reader, std::uint64_t offset) {
  return {(std::uint64_t{reader.epoch()} << 32) | reader.partition(), offset};
}
std::uint32_t PartitionOf(DeliveryToken token) {
  return static_cast<std::uint32_t>(token.high & 0xFFFF'FFFF);
}
std::uint32_t EpochOf(DeliveryToken token) {
  return static_cast<std::uint32_t>(token.high >> 32);
}

}  // namespace

PartitionedInlet::~PartitionedInlet() { static_cast<void>(Stop({})); }

Result<void> PartitionedInlet::Start(Sink& sink) {
  auto joined = shell_.core().Join(shell_.options(), shell_.loop());
  if (!joined) return std::move(joined).error();
  member_ = *joined;
  return shell_.Start(sink);
}

PartitionReader* PartitionedInlet::ReaderOf(DeliveryToken token) {
  const auto found = readers_.find(PartitionOf(token));
  if (found == readers_.end()) return nullptr;
  return found->second->epoch() == EpochOf(token) ? found->second.get()
                                                  : nullptr;
}

Turns::Turned PartitionedInlet::Turn() noexcept {
  HearPosted();
  SeekAsWished();
  Turned turned;
  const TimePoint now = shell_.Now();
  const GroupView view = shell_.core().Look(shell_.options().group, member_);
  if (!view.reachable) {
    shell_.SetLink(LinkState::Kind::kDisconnected);
  } else if (Follow(view, now)) {
    shell_.SetLink(LinkState::Kind::kConnected);
    Commit(false);
    Redeliver(now);
    FetchNew(turned);
    if (!again_.empty()) turned.next = std::min(turned.next, again_.top().due);
    turned.delivered = batch_.size();
    shell_.Deliver(batch_);
  } else {
    shell_.SetLink(LinkState::Kind::kRebalancing);
    turned.next =
        std::min(view.rebalanced_by, release_by_.value_or(TimePoint::max()));
  }
  std::vector<PartitionLag> lag;
  for (const auto& [id, reader] : readers_) {
    lag.push_back({reader->name(), reader->lag()});
  }
  shell_.SetLag(std::move(lag));
  next_ = turned.next;
  return turned;
}

void PartitionedInlet::HearPosted() {
  shell_.loop().TakePosted(said_);
  for (const Said& said : said_) {
    PartitionReader* const reader = ReaderOf(said.token);
    if (said.kind == Said::Kind::kAttempted) {
      if (reader != nullptr) {
        reader->Attempted(said.token.low, said.attempts);
      }
      continue;
    }
    --open_;
    // Of before a seek, or of a partition that is another's now.
    if (reader == nullptr) continue;
    if (said.kind == Said::Kind::kDone) {
      reader->Done(said.token.low);
    } else {
      again_.push({shell_.Now() + said.delay, said.token});
    }
  }
}

bool PartitionedInlet::Follow(const GroupView& view, TimePoint now) {
  if (!view.member || out_of_date_) {
    out_of_date_ = false;
    GiveUp(true);
    if (view.member) shell_.core().Leave(shell_.options().group, member_);
    const auto joined = shell_.core().Join(shell_.options(), shell_.loop());
    if (joined) member_ = *joined;
    return false;
  }
  if (view.release) {
    const auto patience = shell_.options().revoke_patience;
    if (!release_by_) {
      release_by_ = now + patience;
      Withdraw();
    }
    if (open_ > 0 && now < *release_by_) {
      Commit(false);
      return false;
    }
    // What is open still runs, and will be another's: that is not clean.
    Commit(open_ == 0);
    GiveUp(false);
    shell_.core().Release(shell_.options().group, member_);
    return false;
  }
  if (view.adopt) Adopt();
  return view.rebalanced_by == TimePoint::max();
}

// What does not run is not waited for: the others of the group wait for us.
void PartitionedInlet::Withdraw() {
  std::vector<std::uint64_t> assignments;
  for (const auto& [id, reader] : readers_) {
    assignments.push_back(TokenOf(*reader, 0).high);
  }
  shell_.Withdraw(assignments);
  HearPosted();
}

void PartitionedInlet::Adopt() {
  const auto& options = shell_.options();
  std::vector<std::string> names;
  for (Assignment& one :
       shell_.core().Adopt(options.group, member_, options.from_beginning)) {
    auto reader = std::make_unique<PartitionReader>(
        std::move(one), ++last_epoch_, options.longest_span);
    if (!reader->warning().empty()) {
      shell_.Note(LogLevel::kWarning,
                  reader->name() + ": " + reader->warning());
    }
    names.push_back(reader->name());
    readers_[reader->partition()] = std::move(reader);
  }
  // Before the first of them runs, so that a start which ends badly counts.
  Commit(false);
  if (hooks_ != nullptr && !names.empty()) hooks_->OnAssigned(names);
}

void PartitionedInlet::GiveUp(bool lost) {
  release_by_.reset();
  std::vector<std::string> names;
  for (const auto& [id, reader] : readers_) names.push_back(reader->name());
  readers_.clear();
  again_ = {};
  if (lost && !names.empty()) {
    shell_.Note(LogLevel::kWarning,
                "it was out of its group; what it had not committed is done "
                "again by whoever has its partitions now");
  }
  if (hooks_ != nullptr && !names.empty()) hooks_->OnRevoked(names, lost);
}

void PartitionedInlet::Commit(bool clean) {
  for (const auto& [id, reader] : readers_) {
    if (!clean && !reader->dirty()) continue;
    const auto committed = shell_.core().Commit(shell_.options().group, member_,
                                                id, reader->ToCommit(clean));
    if (committed) {
      reader->Committed();
    } else if (committed.error().code == ErrorCode::kConflict) {
      out_of_date_ = true;
      shell_.loop().Wake();
    }
  }
}

void PartitionedInlet::Add(Fetched& fetched, PartitionReader& reader) {
  fetched.attempt = reader.attempts(fetched.offset) + 1;
  AddDelivery(fetched, shell_.info(), *this, TokenOf(reader, fetched.offset),
              batch_);
  ++open_;
}

void PartitionedInlet::Redeliver(TimePoint now) {
  std::uint64_t lost = 0;
  while (!again_.empty() && again_.top().due <= now && shell_.wants(open_)) {
    const DeliveryToken token = again_.top().token;
    PartitionReader* const reader = ReaderOf(token);
    fetched_.clear();
    if (reader != nullptr && reader->IsOpen(token.low)) {
      shell_.core().Fetch(PartitionOf(token), token.low, 1, fetched_);
      // The broker went away since it was looked at.
      if (fetched_.empty() && !shell_.core().reachable()) break;
    }
    again_.pop();
    if (reader == nullptr || !reader->IsOpen(token.low)) continue;
    if (!fetched_.empty() && fetched_.front().offset == token.low) {
      Add(fetched_.front(), *reader);
    } else {
      // Forgotten, since somebody else has committed past it.
      reader->Done(token.low);
      ++lost;
    }
  }
  if (lost > 0) shell_.Lost(lost);
}

void PartitionedInlet::FetchNew(Turned& turned) {
  for (const auto& [id, reader] : readers_) {
    if (!shell_.wants(open_) || !reader->HasRoom(reader->next())) continue;
    fetched_.clear();
    const FetchEnd end =
        shell_.core().Fetch(id, reader->next(), shell_.room(open_), fetched_);
    turned.next = std::min(turned.next, end.visible);
    bool had_room = true;
    for (Fetched& one : fetched_) {
      // Of this one, not of the next: a hole may lie between them.
      had_room = reader->HasRoom(one.offset);
      if (!had_room) break;
      if (reader->Read(one.offset)) Add(one, *reader);
    }
    if (had_room) reader->PassTo(end);
  }
}

void PartitionedInlet::Settle(DeliveryToken token,
                              Settlement settlement) noexcept {
  if (!ended_) shell_.loop().Post(SaidBy(token, settlement));
}

void PartitionedInlet::Attempted(DeliveryToken token, int attempts) noexcept {
  if (ended_) return;
  shell_.loop().Post(
      {.token = token, .kind = Said::Kind::kAttempted, .attempts = attempts});
}

std::string PartitionedInlet::PositionOf(DeliveryToken token) const {
  return shell_.core().NameOf(PartitionOf(token)) + "@" +
         std::to_string(token.low);
}

Result<void> PartitionedInlet::Seek(const SeekPoint& to,
                                    std::chrono::milliseconds patience) {
  const auto wish = std::make_shared<Wish>(Wish{.to = to});
  mutex_.lock();
  wish_ = wish;
  mutex_.unlock();
  if (shell_.options().own_thread) {
    shell_.loop().Wake();
  } else {
    SeekAsWished();
  }
  mutex_.lock();
  const bool done =
      sought_.wait_for(mutex_, patience, [&] { return wish->done; });
  Result<void> result =
      done ? wish->result
           : Result<void>(Error{ErrorCode::kTimedOut,
                                "inlet '" + shell_.options().name +
                                    "' did not come to the seek in time"});
  if (wish_ == wish) wish_ = nullptr;
  mutex_.unlock();
  return result;
}

void PartitionedInlet::SeekAsWished() {
  {
    const MutexLock lock(mutex_);
    if (wish_ == nullptr) return;
    wish_->result = SeekNow(wish_->to);
    wish_->done = true;
    wish_ = nullptr;
  }
  sought_.notify_all();
}

Result<void> PartitionedInlet::SeekNow(const SeekPoint& to) {
  bool found = false;
  for (const auto& [id, reader] : readers_) {
    if (!to.partition.empty() && reader->name() != to.partition) continue;
    reader->Seek(shell_.core().OffsetOf(id, to), ++last_epoch_);
    found = true;
  }
  if (found) return {};
  return Error{ErrorCode::kUnavailable, "inlet '" + shell_.options().name +
                                            "' does not have partition '" +
                                            to.partition + "' now"};
}

Result<void> PartitionedInlet::Stop(std::chrono::milliseconds grace) noexcept {
  if (ended_) return {};
  shell_.BeginDrain({});
  shell_.loop().Finish(grace);
  ended_ = true;
  HearPosted();
  // What is open was given back, or runs on in a function that is hung.
  Commit(open_ == 0);
  GiveUp(false);
  if (member_ != 0) shell_.core().Leave(shell_.options().group, member_);
  if (open_ == 0) return {};
  return Error{ErrorCode::kDeadlineExceeded, "inlet '" + shell_.options().name +
                                                 "': " + std::to_string(open_) +
                                                 " deliveries are open"};
}

void PartitionedInlet::Crash() noexcept {
  ended_ = true;
  shell_.loop().Quit();
  if (member_ != 0) shell_.core().Leave(shell_.options().group, member_);
}

}  // namespace cirro::internal::memory
