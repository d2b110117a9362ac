#include "reactor_thread.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <string_view>
#include <utility>

#include "answer.h"
#include "socket_transport.h"

namespace cirro::internal::http {
namespace {

using Interest = Pistache::Flags<Pistache::Polling::NotifyOn>;
using Pistache::Polling::Mode;
using Pistache::Polling::NotifyOn;
using Pistache::Polling::Tag;

// Pistache's own tags are descriptors; ours are above 2^32. A connection's id
// is a sequence number, never used again, and the thread's index below it.
constexpr std::uint64_t kFirstSequence = std::uint64_t{1} << 32;
enum ReservedTag : std::uint64_t {
  kWakeTag = kFirstSequence,
  kTimerTag,
  kListenerTag,
  kAdminListenerTag,
};

// Over max_connections so many are told so; beyond that they are just closed.
constexpr std::uint32_t kRefusedAtOnce = 64;
// Whoever asks for health must hear it when everything else is full, but is
// bounded, too.
constexpr std::uint32_t kMaxAdminConnections = 256;
constexpr std::chrono::milliseconds kAcceptAgain{200};

thread_local ReactorThread* current = nullptr;

// RFC 9110 section 5.6.7: IMF-fixdate. Not by strftime, which asks the locale.
std::string DateLine(std::time_t now) {
  constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed",
                                                  "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> kMonths{
      "Jan", "Feb", "Mar", "Apr", "May", "Jun",
      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  if (gmtime_r(&now, &parts) == nullptr) return {};
  std::string line = "date: ";
  const auto digits = [&line](int number, int places) {
    std::string text = std::to_string(number);
    line.append(static_cast<std::size_t>(places) - text.size(), '0') += text;
  };
  line.append(kDays.at(static_cast<std::size_t>(parts.tm_wday))).append(", ");
  digits(parts.tm_mday, 2);
  line.append(" ").append(kMonths.at(static_cast<std::size_t>(parts.tm_mon)));
  line += ' ';
  digits(parts.tm_year + 1900, 4);
  line += ' ';
  digits(parts.tm_hour, 2);
  line += ':';
  digits(parts.tm_min, 2);
  line += ':';
  digits(parts.tm_sec, 2);
  return line += " GMT\r\n";
}

std::string DoneHead(const HttpOptions& options) {
  Answer answer;
  WriteDone(options.done_status, answer);
  return answer.head;
}

}  // namespace

std::shared_ptr<Pistache::Aio::Handler> ReactorSeed::clone() const {
  const auto index = static_cast<std::uint8_t>(group_->threads.size());
  group_->threads.push_back(std::make_shared<ReactorThread>(*group_, index));
  return group_->threads.back();
}

ReactorThread::ReactorThread(ReactorGroup& group, std::uint8_t index)
    : group_(group),
      index_(index),
      timer_fd_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
      host_(group.parts, group.buffers),
      wheel_(std::chrono::steady_clock::now()),
      sequence_(kFirstSequence) {
  host_.done_head = DoneHead(group.parts.options);
}

ReactorThread::~ReactorThread() {
  TimerWheel::Cancel(accept_again_);
  connections_.clear();
  if (timer_fd_ >= 0) close(timer_fd_);
}

void ReactorThread::registerPoller(Pistache::Polling::Epoll& poller) {
  poller_ = &poller;
  if (!ok()) return;
  // Edges need no read: every write and every expiry is one.
  poller.addFd(mailbox_.fd(), Interest(NotifyOn::Read), Tag(kWakeTag),
               Mode::Edge);
  poller.addFd(timer_fd_, Interest(NotifyOn::Read), Tag(kTimerTag), Mode::Edge);
  if (index_ != 0) return;
  if (group_.listener.open()) {
    poller.addFd(group_.listener.fd(), Interest(NotifyOn::Read),
                 Tag(kListenerTag), Mode::Edge);
  }
  if (group_.admin_listener.open()) {
    poller.addFd(group_.admin_listener.fd(), Interest(NotifyOn::Read),
                 Tag(kAdminListenerTag), Mode::Edge);
  }
}

void ReactorThread::Settle(DeliveryToken token,
                           Settlement&& settlement) noexcept {
  if (current != this) {
    Post({.token = token, .settlement = std::move(settlement)});
    return;
  }
  const auto found = connections_.find(token.high);
  if (found == connections_.end()) return;
  found->second->Settle(token.low, std::move(settlement));
}

// A reply counts from here on, for it may lie in the mailbox as long as this
// thread is kept by something else.
void ReactorThread::Post(Mailbox::Answer answer) noexcept {
  const std::size_t bytes = BytesOf(answer.settlement.replies);
  if (bytes > kSmallAnswer) {
    answer.bytes = bytes;
    answer.counted =
        group_.buffers.Take(bytes, group_.parts.options.max_buffered_bytes);
    if (!answer.counted) answer.settlement.replies.clear();
  }
  mailbox_.Post(std::move(answer));
}

void ReactorThread::EnterPhase(DrainPhase phase) noexcept {
  wanted_phase_.store(phase);
  mailbox_.Wake();
}

void ReactorThread::onReady(const Pistache::Aio::FdSet& fds) noexcept {
  current = this;
  mailbox_.SetAwake();
  host_.now = std::chrono::steady_clock::now();
  if (host_.now >= date_until_) UpdateDate();
  host_.BeginTurn();
  // Its iterators give no access to the flags.
  // NOLINTNEXTLINE(modernize-loop-convert)
  for (std::size_t i = 0; i < fds.size(); ++i) {
    // The entry keeps what it inherits to itself and shows all but the one
    // flag that matters here, that the peer has ended. This form of cast alone
    // may reach an inaccessible base.
    // NOLINTNEXTLINE(google-readability-casting)
    const auto& event = (const Pistache::Polling::Event&)fds.at(i);
    OnEvent(event.tag.value(), event);
    if (host_.should_deliver()) SettleTurn();
  }
  for (;;) {
    SettleTurn();
    if (!mailbox_.TakeOrSleep(mail_)) break;
    TakeMail();
    FollowPhase();
  }
  ArmTimer();
  if (host_.phase != DrainPhase::kServing) SendReport();
}

void ReactorThread::OnEvent(std::uint64_t tag,
                            const Pistache::Polling::Event& event) {
  switch (tag) {
    case kWakeTag:  // What it says is seen to in every turn.
      return;
    case kTimerTag:
      armed_ = TimePoint::max();
      AdvanceTimers();
      return;
    case kListenerTag:
      Accept(group_.listener, false);
      return;
    case kAdminListenerTag:
      Accept(group_.admin_listener, true);
      return;
    default:
      break;
  }
  const auto found = connections_.find(tag);
  if (found == connections_.end()) return;
  Connection& connection = *found->second;
  if (event.flags.hasFlag(NotifyOn::Write)) connection.OnWritable();
  // What is no sign to write is one to read: an error shows in the read.
  const bool ended = event.flags.hasFlag(NotifyOn::Shutdown) ||
                     event.flags.hasFlag(NotifyOn::Hangup);
  if (ended || event.flags.hasFlag(NotifyOn::Read) ||
      !event.flags.hasFlag(NotifyOn::Write)) {
    connection.OnReadable(ended);
  }
}

void ReactorThread::Accept(Listener& listener, bool admin_port) {
  while (listener.open()) {
    const int fd = listener.Accept();
    if (fd < 0) {
      if (errno == ECONNABORTED || errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) {
        wheel_.Schedule(accept_again_, host_.now + kAcceptAgain);
      }
      return;
    }
    // Round robin: what is dealt evenly at first stays even enough, and one
    // thread's long turn does not hold up the accepting of others.
    ReactorThread& thread = *group_.threads[next_thread_];
    next_thread_ =
        static_cast<std::uint8_t>((next_thread_ + 1U) % group_.threads.size());
    const NewSocket socket{fd, admin_port};
    if (&thread == this) {
      Add(socket);
    } else {
      thread.mailbox_.Post(socket);
    }
  }
}

void ReactorThread::Add(NewSocket socket) {
  std::atomic<std::uint32_t>& open = group_.Open(socket.admin_port);
  const std::uint32_t others = open.fetch_add(1, std::memory_order_relaxed);
  ThreadCounters::Add(host_.counters.accepted);
  const std::uint64_t id = NextId();
  auto transport = std::make_unique<SocketTransport>(socket.fd);
  const std::uint32_t limit = socket.admin_port
                                  ? kMaxAdminConnections
                                  : group_.parts.options.max_connections;
  const bool over = others >= limit;
  bool refused = over && others - limit >= kRefusedAtOnce;
  if (!refused) {
    try {
      poller_->addFd(
          socket.fd,
          Interest(NotifyOn::Read | NotifyOn::Write | NotifyOn::Shutdown),
          Tag(id), Mode::Edge);
    } catch (const std::exception&) {  // the system's bound on watches
      refused = true;
    }
  }
  if (refused) {
    open.fetch_sub(1, std::memory_order_relaxed);
    ThreadCounters::Add(host_.counters.closed);
    return;
  }
  auto connection = std::make_unique<Connection>(id, socket.admin_port,
                                                 std::move(transport), host_);
  if (over) connection->RefuseConnection();
  host_.Touch(*connection);
  connections_.emplace(id, std::move(connection));
}

// Until nothing is left to do: deliveries go to the sink, what functions on
// this thread answered goes out, and what had to wait for that is parsed.
void ReactorThread::SettleTurn() {
  for (;;) {
    host_.Deliver();
    if (host_.touched().empty()) break;
    std::swap(looked_at_, host_.touched());
    for (Connection* const connection : looked_at_) {
      connection->touched = false;
      connection->Continue();
    }
    for (Connection* const connection : looked_at_) {
      if (!connection->touched) Review(*connection);
    }
    looked_at_.clear();
  }
}

void ReactorThread::Review(Connection& connection) {
  if (connection.finished()) {
    if (connection.resumed) std::erase(host_.resumed(), &connection);
    group_.Open(connection.admin_port())
        .fetch_sub(1, std::memory_order_relaxed);
    connections_.erase(connection.id());
    ThreadCounters::Add(host_.counters.closed);
    return;
  }
  const TimePoint deadline = connection.deadline();
  if (deadline != TimePoint::max()) wheel_.Schedule(connection, deadline);
}

void ReactorThread::TakeMail() {
  for (const NewSocket& socket : mail_.sockets) Add(socket);
  for (Mailbox::Answer& answer : mail_.answers) {
    if (answer.counted) group_.buffers.unsent -= answer.bytes;
    const auto found = connections_.find(answer.token.high);
    if (found == connections_.end()) continue;
    if (answer.bytes > 0 && !answer.counted) {
      found->second->SettleWithoutReplies(answer.token.low, answer.bytes);
    } else {
      found->second->Settle(answer.token.low, std::move(answer.settlement));
    }
  }
  mail_.sockets.clear();
  mail_.answers.clear();
}

void ReactorThread::AdvanceTimers() {
  wheel_.Advance(host_.now, [this](TimerNode& node) {
    if (&node == &accept_again_) {
      Accept(group_.listener, false);
      Accept(group_.admin_listener, true);
      return;
    }
    auto& connection = static_cast<Connection&>(node);
    connection.OnTimer();
    host_.Touch(connection);
  });
}

void ReactorThread::ArmTimer() {
  // The next turn comes at once, with the events that are there by then.
  if (!host_.resumed().empty()) mailbox_.Ring();
  const TimePoint next = wheel_.next();
  if (next >= armed_) return;
  armed_ = next;
  const auto since_boot = std::chrono::duration_cast<std::chrono::nanoseconds>(
      next.time_since_epoch());
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(since_boot);
  itimerspec when{};
  when.it_value.tv_sec = seconds.count();
  when.it_value.tv_nsec = (since_boot - seconds).count();
  timerfd_settime(timer_fd_, TFD_TIMER_ABSTIME, &when, nullptr);
}

void ReactorThread::UpdateDate() {
  using std::chrono::system_clock;
  const auto now = system_clock::now();
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  host_.date_line = DateLine(system_clock::to_time_t(second));
  date_until_ = host_.now + (second + std::chrono::seconds(1) - now);
}

void ReactorThread::FollowPhase() {
  const DrainPhase wanted = wanted_phase_.load();
  if (wanted == host_.phase) return;
  host_.phase = wanted;
  if (wanted == DrainPhase::kClosing) host_.close_by = group_.close_by;
  if (index_ == 0 && wanted >= DrainPhase::kFenced) {
    // What the system has queued has arrived; closing would reset it.
    Accept(group_.listener, false);
    group_.listener.Close();
  }
  if (index_ == 0 && wanted == DrainPhase::kClosing) {
    Accept(group_.admin_listener, true);
    group_.admin_listener.Close();
  }
  for (const auto& [id, connection] : connections_) connection->OnPhase();
}

ReactorThread::Report ReactorThread::report() const noexcept {
  MutexLock lock(report_mutex_);
  return report_;
}

void ReactorThread::SendReport() {
  // The fence is behind what every connection had to read.
  const bool reads_on =
      host_.phase == DrainPhase::kFenced && !host_.resumed().empty();
  {
    MutexLock lock(report_mutex_);
    report_ = {.phase = reads_on ? DrainPhase::kLastRequests : host_.phase,
               .connections = connections_.size(),
               .unquiet = host_.unquiet,
               .open_requests = host_.open_requests};
  }
  MutexLock lock(group_.mutex);
  group_.reported.notify_all();
}

}  // namespace cirro::internal::http
