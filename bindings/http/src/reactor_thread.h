#pragma once

#include <pistache/reactor.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "cirro/dispatch/mutex.h"
#include "connection.h"
#include "connection_host.h"
#include "listener.h"
#include "mailbox.h"
#include "timer_wheel.h"

namespace cirro::internal::http {

class ReactorThread;

/// What the reactor threads of one receiver share. Outlives them.
struct ReactorGroup {
  explicit ReactorGroup(const ConnectionHost::Parts& given) : parts(given) {}

  const ConnectionHost::Parts parts;
  /// By their index; filled before they run, constant from then on. Shared
  /// with Pistache's reactor, which ends before they do.
  std::vector<std::shared_ptr<ReactorThread>> threads{};
  Listener listener{};        ///< Thread 0's, once it runs.
  Listener admin_listener{};  ///< Likewise.
  BufferSums buffers{};
  std::atomic<std::uint32_t> connections{0};
  std::atomic<std::uint32_t> admin_connections{0};  ///< Beside these.

  [[nodiscard]] std::atomic<std::uint32_t>& Open(bool admin_port) {
    return admin_port ? admin_connections : connections;
  }
  /// Written before kClosing is wanted, read by threads that follow it.
  TimePoint close_by = TimePoint::max();
  /// Notified after turns in a drain, when one of the threads' reports may
  /// have changed.
  Mutex mutex{};
  std::condition_variable_any reported{};
};

/// One thread of Pistache's reactor: its connections, timers and mailbox, and,
/// on thread 0, the acceptor, which deals new connections to all in turn. So
/// there is one queue of connections, and it can be emptied exactly.
///
/// The methods that say so are called from any thread, the others on this one.
class ReactorThread final : public Pistache::Aio::Handler {
 public:
  /// What a thread tells of itself at the end of its turns in a drain.
  struct Report {
    DrainPhase phase = DrainPhase::kServing;  ///< Reached by all connections.
    std::size_t connections = 0;
    std::size_t unquiet = 0;
    std::size_t open_requests = 0;
  };

  /// Fails (false in ok()) when the system gives no descriptors.
  ReactorThread(ReactorGroup& group, std::uint8_t index);
  ~ReactorThread() override;

  [[nodiscard]] bool ok() const { return mailbox_.fd() >= 0 && timer_fd_ >= 0; }

  /// Any thread. A connection that is gone gets nothing.
  void Settle(DeliveryToken token, Settlement&& settlement) noexcept;
  /// Any thread.
  void EnterPhase(DrainPhase phase) noexcept;
  /// Any thread.
  [[nodiscard]] Report report() const noexcept CIRRO_EXCLUDES(report_mutex_);
  [[nodiscard]] const ThreadCounters& counters() const {
    return host_.counters;
  }

  /// Which thread a connection's token belongs to.
  static std::uint8_t IndexOf(const DeliveryToken& token) {
    return static_cast<std::uint8_t>(token.high);
  }

 private:
  // Never asked for: ReactorSeed is what Pistache clones.
  [[nodiscard]] std::shared_ptr<Handler> clone() const override {
    return nullptr;
  }
  void registerPoller(Pistache::Polling::Epoll& poller) override;
  void onReady(const Pistache::Aio::FdSet& fds) noexcept override;

  void OnEvent(std::uint64_t tag, const Pistache::Polling::Event& event);
  void Accept(Listener& listener, bool admin_port);
  void Add(NewSocket socket);
  void SettleTurn();
  void Post(Mailbox::Answer answer) noexcept;
  void TakeMail();
  void Review(Connection& connection);
  void AdvanceTimers();
  void ArmTimer();
  void UpdateDate();
  void FollowPhase();
  void SendReport();
  [[nodiscard]] std::uint64_t NextId() {
    return (sequence_++ << 8) | std::uint64_t{index_};
  }

  ReactorGroup& group_;
  const std::uint8_t index_;
  const int timer_fd_;
  Pistache::Polling::Epoll* poller_ = nullptr;

  Mailbox mailbox_;
  std::atomic<DrainPhase> wanted_phase_{DrainPhase::kServing};
  mutable Mutex report_mutex_;
  Report report_ CIRRO_GUARDED_BY(report_mutex_);

  // This thread's alone.
  ConnectionHost host_;
  TimerWheel wheel_;
  TimePoint armed_ = TimePoint::max();
  TimePoint date_until_{};  ///< When host_.date_line is no longer true.
  TimerNode accept_again_;  ///< Descriptors had run out.
  std::uint64_t sequence_;
  std::uint8_t next_thread_ = 0;
  Mailbox::Content mail_;
  std::vector<Connection*> looked_at_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
};

/// The handler that Pistache is given: it asks for one clone a thread.
class ReactorSeed final : public Pistache::Aio::Handler {
 public:
  explicit ReactorSeed(ReactorGroup& group) : group_(&group) {}

  [[nodiscard]] std::shared_ptr<Handler> clone() const override;
  void registerPoller(Pistache::Polling::Epoll&) override {}
  void onReady(const Pistache::Aio::FdSet&) override {}

 private:
  ReactorGroup* group_;
};

}  // namespace cirro::internal::http
