#include "consumer.h"

#include <algorithm>

namespace cirro::internal::kafka {
namespace {

using std::chrono::milliseconds;
using Phase = InletShared::Phase;

// An event of librdkafka is told by an edge; this often it is looked at anyway.
constexpr milliseconds kLongestWait{250};
constexpr milliseconds kProbe{1'000};

// Demand ends with a quarter of the bound left: it holds with so many at once.
std::size_t MostAtOnce(const KafkaInletOptions& options) {
  if (options.max_in_flight == 0) return Partition::kBatch;
  return std::clamp<std::size_t>(options.max_in_flight / 4, 1,
                                 Partition::kBatch);
}

}  // namespace

Result<std::unique_ptr<Consumer>> Consumer::Make(const Parts& parts,
                                                 const Properties& properties) {
  auto conf = MakeConf(properties, parts.voice);
  if (!conf) return std::move(conf).error();
  rd_kafka_conf_set_events(conf->get(), RD_KAFKA_EVENT_REBALANCE |
                                            RD_KAFKA_EVENT_OFFSET_COMMIT |
                                            RD_KAFKA_EVENT_ERROR);
  auto callbacks = std::make_unique<Callbacks>(parts.voice);
  callbacks->Register(conf->get());
  auto handle = MakeHandle(RD_KAFKA_CONSUMER, *std::move(conf));
  if (!handle) return std::move(handle).error();
  rd_kafka_poll_set_consumer(handle->get());

  const PartitionList topics(rd_kafka_topic_partition_list_new(
      static_cast<int>(parts.options.topics.size())));
  for (const std::string& topic : parts.options.topics) {
    rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(),
                                      RD_KAFKA_PARTITION_UA);
  }
  const auto code = rd_kafka_subscribe(handle->get(), topics.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return InvalidOption("topics", TextOf(code));
  }
  return std::unique_ptr<Consumer>(
      new Consumer(parts, std::move(callbacks), *std::move(handle)));
}

Consumer::Consumer(const Parts& parts, std::unique_ptr<Callbacks> callbacks,
                   Handle handle)
    : parts_(parts),
      options_(parts.options),
      clock_(parts.clock),
      voice_(parts.voice),
      shared_(parts.shared),
      callbacks_(std::move(callbacks)),
      handle_(std::move(handle)),
      asker_(std::make_unique<Asker>(handle_.get(), shared_.mailbox)),
      events_(rd_kafka_queue_get_consumer(handle_.get())),
      decoder_(options_.decode),
      most_at_once_(MostAtOnce(options_)),
      turn_([&mailbox = shared_.mailbox] { mailbox.Wake(); }) {
  batch_.reserve(Partition::kBatch);
  const std::uint64_t one = 1;
  rd_kafka_queue_io_event_enable(events_.get(), shared_.mailbox.descriptor(),
                                 &one, sizeof one);
}

Consumer::~Consumer() {
  asker_.reset();
  rd_kafka_queue_io_event_enable(events_.get(), -1, nullptr, 0);
  partitions_.clear();
  rebalance_.reset();
  events_.reset();
  const bool late =
      closing_events_ && rd_kafka_consumer_closed(handle_.get()) == 0;
  if (late) {
    rd_kafka_queue_io_event_enable(closing_events_.get(), -1, nullptr, 0);
    closing_events_.reset();
    Callbacks::Abandon(std::move(handle_), std::move(callbacks_));
    return;
  }
  closing_events_.reset();
  // It was closed in good order, or was never a member.
  rd_kafka_destroy_flags(handle_.release(),
                         RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

void Consumer::Run() noexcept {
  BlockSignals();
  shared_.mailbox.Own();
  Link(LinkState::Kind::kConnecting);
  while (shared_.phase.load() != Phase::kClosed) {
    shared_.mailbox.Clear();
    const TimePoint now = clock_.Now();
    const bool busy = Turn(now);
    shared_.Reached(shared_.phase.load());
    if (!busy) shared_.mailbox.Wait(Patience(now));
  }
  shared_.mailbox.Disown();
  shared_.Reached(Phase::kClosed);
}

bool Consumer::Turn(TimePoint now) noexcept {
  bool busy = TakeNotes();
  busy = ServeEvents(events_.get()) || busy;
  if (closing_events_) busy = ServeEvents(closing_events_.get()) || busy;
  TakeAnswer(now);
  AdvanceRebalance(now);
  AdvanceCommit(now);
  GiveTurns();
  if (shared_.phase.load() == Phase::kRunning && !fatal_) {
    if (rewinding_) AskRewind(now);
    AdvanceSeek();
    AskAnew(now);
    if (shared_.demand.load(std::memory_order_relaxed) && !IsZombie(now)) {
      busy = ReadAll(now) || busy;
    }
  }
  AskEnds(now);
  if (now >= lag_at_) ReportLag(now);
  WatchLink(now);
  AdvanceStop(now);
  return busy;
}

milliseconds Consumer::Patience(TimePoint now) const noexcept {
  TimePoint next = now + kLongestWait;
  next = std::min(next, lag_at_);
  if (ends_at_ > now) next = std::min(next, ends_at_);
  if (!committing_ && commit_at_ > now) next = std::min(next, commit_at_);
  if (rebalance_) {
    const TimePoint at =
        rebalance_->assign ? rebalance_->try_at : rebalance_->deadline;
    if (at > now) next = std::min(next, at);
  }
  if (rewinding_ && rewind_at_ > now) next = std::min(next, rewind_at_);
  if (joins_by_ > now) next = std::min(next, joins_by_);
  if (final_at_ > now) next = std::min(next, final_at_);
  if (shared_.phase.load() >= Phase::kStopping) {
    for (const TimePoint at : {shared_.stop_by(), close_by_}) {
      if (at > now) next = std::min(next, at);
    }
  }
  for (const auto& partition : partitions_) {
    if (partition && partition->reads_again) {
      next = std::min(next, partition->read_at);
    }
  }
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(next - now));
}

Partition* Consumer::Find(DeliveryToken token) noexcept {
  const auto slot = static_cast<std::uint32_t>(token.high);
  const auto epoch = static_cast<std::uint32_t>(token.high >> 32);
  if (slot >= partitions_.size() || !partitions_[slot]) return nullptr;
  return partitions_[slot]->epoch == epoch ? partitions_[slot].get() : nullptr;
}

bool Consumer::AnyOpen(const Slots* of) const noexcept {
  const auto is_open = [this](std::uint32_t slot) {
    return partitions_[slot] && partitions_[slot]->ledger.open() > 0;
  };
  if (of != nullptr) return std::any_of(of->begin(), of->end(), is_open);
  for (std::uint32_t slot = 0; slot < partitions_.size(); ++slot) {
    if (is_open(slot)) return true;
  }
  return false;
}

bool Consumer::TakeNotes() noexcept {
  if (!shared_.mailbox.Take(notes_)) return false;
  for (Note& note : notes_) Take(note);
  return true;
}

void Consumer::Take(Note& note) noexcept {
  Partition* const partition = Find(note.token);
  if (partition == nullptr) return;  // Of an assignment that is over.
  Ledger& ledger = partition->ledger;
  const std::uint64_t offset = note.token.low;
  const bool alone = ledger.charged() == offset;
  switch (note.kind) {
    case Note::Kind::kDone:
      if (ledger.Done(offset)) {
        if (alone) EndedAlone(*partition);
        ++done_;
        if (partition->suspicious) TellSuspicion(*partition);
        if (note.outputs) {
          partition->outputs.Put(offset, std::move(note.outputs));
        }
      }
      return;
    case Note::Kind::kFailed:
      ledger.Failed(offset, note.attempts);
      return;
    case Note::Kind::kGivenBack:
      // In a drain it is the next owner's.
      if (!ledger.GivenBack(offset)) return;
      if (alone) EndedAlone(*partition);
      if (shared_.phase.load() != Phase::kRunning || partition->revoking) {
        return;
      }
      ledger.Again(offset);
      ReadAgain(*partition, offset,
                clock_.Now() + std::max(note.delay, milliseconds(100)));
      return;
  }
}

void Consumer::EndedAlone(Partition& partition) noexcept {
  partition.ended_alone = partition.ledger.version();
  commit_at_ = std::min(commit_at_, clock_.Now());
}

// With others that are read again, and when the first of them is: one that
// waits keeps none waiting.
void Consumer::ReadAgain(Partition& partition, std::uint64_t offset,
                         TimePoint at) noexcept {
  if (partition.reads_again) {
    offset = std::min(partition.read_from, offset);
    at = std::min(partition.read_at, at);
  }
  partition.reads_again = true;
  partition.read_from = offset;
  partition.read_at = at;
}

bool Consumer::ServeEvents(rd_kafka_queue_t* events) noexcept {
  bool any = false;
  for (;;) {
    const HandleEvent event(rd_kafka_queue_poll(events, 0));
    if (!event) return any;
    any = true;
    switch (rd_kafka_event_type(event.get())) {
      case RD_KAFKA_EVENT_REBALANCE:
        OnRebalance(*event);
        break;
      case RD_KAFKA_EVENT_OFFSET_COMMIT:
        OnCommitted(*event);
        break;
      case RD_KAFKA_EVENT_ERROR:
        OnError(rd_kafka_event_error(event.get()),
                rd_kafka_event_error_string(event.get()));
        break;
      case RD_KAFKA_EVENT_FETCH:  // An error of the subscription.
        while (const rd_kafka_message_t* const message =
                   rd_kafka_event_message_next(event.get())) {
          OnError(message->err, rd_kafka_message_errstr(message));
        }
        break;
      default:
        break;
    }
  }
}

void Consumer::OnError(rd_kafka_resp_err_t code,
                       std::string_view text) noexcept {
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    Link(LinkState::Kind::kDisconnected);
    return;
  }
  if (IsOfConnection(code)) {
    refusals_.Tell(code, text, voice_, clock_.Now());
    return;
  }
  std::array<char, 512> why{};
  const rd_kafka_resp_err_t fatal =
      rd_kafka_fatal_error(handle_.get(), why.data(), why.size());
  if (fatal != RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (fatal_) return;
    fatal_ = true;
    Link(LinkState::Kind::kFailed);
    voice_.Fail({ErrorCode::kUnavailable,
                 "inlet '" + options_.name + "' delivers nothing more: " +
                     why.data() + WhatToChange(fatal)});
    return;
  }
  refusals_.TellOther(code, text, voice_, clock_.Now());
}

void Consumer::Link(LinkState::Kind kind) noexcept {
  const LinkState::Kind before = shared_.link().kind;
  if (before == LinkState::Kind::kFailed ||
      (before == kind && kind != LinkState::Kind::kConnecting)) {
    return;
  }
  shared_.SetLink({kind, clock_.Now()});
  if (kind == LinkState::Kind::kDisconnected) {
    refusals_.TellAway(options_.connection.brokers, voice_, clock_.Now());
  } else if (before == LinkState::Kind::kDisconnected) {
    voice_.Say(LogLevel::kInfo,
               "connected again to " + options_.connection.brokers);
  }
}

// Librdkafka tells when every broker is lost, and not when one is found.
void Consumer::WatchLink(TimePoint now) noexcept {
  if (now < probe_at_ || final_commit_) return;
  if (shared_.link().kind != LinkState::Kind::kDisconnected) return;
  if (asker_->busy()) return;
  probe_at_ = now + kProbe;
  asker_->Ask({.about = Asker::About::kLink});
}

void Consumer::TakeAnswer(TimePoint now) noexcept {
  auto answer = asker_->Take();
  if (!answer) return;
  switch (answer->about) {
    case Asker::About::kAssign:
      OnAnswer(*std::move(answer), now);
      return;
    case Asker::About::kSeek:
      shared_.SeekDone(Seek(*answer));
      seek_.reset();
      return;
    case Asker::About::kAnew:
      StartAnew(*answer, now);
      return;
    case Asker::About::kRewind:
      RewindTo(*answer);
      return;
    case Asker::About::kLag:
      TakeEnds(*answer, now);
      return;
    case Asker::About::kLink:
      if (!answer->result ||
          shared_.link().kind != LinkState::Kind::kDisconnected) {
        return;
      }
      Link(assigned_once_ ? LinkState::Kind::kConnected
                          : LinkState::Kind::kConnecting);
      return;
  }
}

// One request to each leader: what librdkafka knows by itself counts what a
// transaction holds back, and stands still while nothing is fetched. Who has
// other questions asks them first.
void Consumer::AskEnds(TimePoint now) noexcept {
  if (now < ends_at_ || asker_->busy() || rebalance_ ||
      shared_.phase.load() != Phase::kRunning ||
      shared_.link().kind != LinkState::Kind::kConnected) {
    return;
  }
  ends_at_ = now + options_.lag_every;
  const Slots slots = Assigned();
  if (slots.empty()) return;
  asker_->Ask(
      {.about = Asker::About::kLag, .list = ListOf(slots), .ends = true});
}

void Consumer::TakeEnds(const Asker::Answer& answer, TimePoint now) noexcept {
  ends_known_ = answer.result.has_value();
  lag_at_ = now;
  for (const auto& [key, end] : answer.ends) {
    const std::uint32_t slot = shared_.SlotOf(key.first, key.second);
    if (partitions_[slot]) partitions_[slot]->end = end;
  }
}

void Consumer::ReportLag(TimePoint now) {
  lag_at_ = now + options_.lag_every;
  std::vector<PartitionLag> lag;
  for (const auto& partition : partitions_) {
    if (!partition) continue;
    lag.push_back({shared_.NameOf(partition->slot),
                   partition->ledger.Unsettled(EndOf(*partition))});
  }
  shared_.SetLag(std::move(lag));
}

// While one leader is away nobody tells of the others: rather too much is said
// then than that nothing waits.
std::uint64_t Consumer::EndOf(const Partition& partition) const noexcept {
  if (ends_known_) return partition.end;
  std::int64_t low = 0;
  std::int64_t high = 0;
  rd_kafka_get_watermark_offsets(handle_.get(), partition.topic.c_str(),
                                 partition.number, &low, &high);
  // Negative until something was fetched.
  return std::max(partition.end,
                  static_cast<std::uint64_t>(std::max<std::int64_t>(high, 0)));
}

}  // namespace cirro::internal::kafka
