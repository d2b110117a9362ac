#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/completion.h"
#include "cirro/dispatch/dispatcher.h"
#include "cirro/dispatch/mutex.h"
#include "cirro/dispatch/router.h"
#include "engine.h"
#include "scratch.h"

namespace cirro {

// What a Dispatcher is. Owned by it, and by every Completion that is open:
// a function may keep one past the dispatcher's end.
class Dispatcher::Core final : public ContextHost,
                               public SendListener,
                               public CompletionListener,
                               public DedupListener,
                               public std::enable_shared_from_this<Core> {
 public:
  Core(Registry registry, std::vector<internal::EngineFunction> functions,
       const DispatcherOptions& options, DispatcherParts parts);

  void Deliver(std::span<Delivery> batch) noexcept;
  void Withdraw(const InletInfo& inlet,
                std::span<const std::uint64_t> assignments) noexcept;
  void BeginDrain() noexcept;
  void GiveBackWaiting() noexcept;
  void GiveBackAll() noexcept;
  bool WaitIdle(std::chrono::milliseconds patience) noexcept;
  [[nodiscard]] Counts counts() noexcept;
  void Close() noexcept;

  void Log(LogLevel level, std::string_view function, const Event* event,
           const TraceContext& trace,
           std::string_view message) noexcept override;
  Result<void> Publish(std::uint64_t call, std::string_view outlet,
                       std::span<const Event> events,
                       TimePoint deadline) noexcept override;
  std::stop_token StopToken(std::uint64_t call) noexcept override;
  void OnSent(std::uint64_t send, Result<void> result,
              std::chrono::milliseconds retry_after) noexcept override;
  void OnFinished(std::uint64_t call, Outcome outcome) noexcept override;
  void OnClaimed(const DedupKey& key, std::uint64_t claim,
                 Result<DedupAnswer> answer) noexcept override;

 private:
  // The host of an inline function: it may not wait.
  class InlineHost final : public ContextHost {
   public:
    explicit InlineHost(Core& core) : core_(&core) {}
    void Log(LogLevel level, std::string_view function, const Event* event,
             const TraceContext& trace,
             std::string_view message) noexcept override;
    Result<void> Publish(std::uint64_t call, std::string_view outlet,
                         std::span<const Event> events,
                         TimePoint deadline) noexcept override;

   private:
    Core* const core_;
  };

  // One pass over what the engine asks for. What answers in the middle of it,
  // on the same thread, is heard at once; what follows from that is done after
  // the pass and not inside of it: else a lane of calls that end at once would
  // take the stack of all of them together.
  class Pass {
   public:
    Pass(const Core& core, std::optional<internal::ScratchLease>& next) noexcept
        : core_(&core),
          next_(&next),
          top_(top),
          outer_(std::exchange(top_, this)) {}
    ~Pass() { top_ = outer_; }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

    /// Where what follows is gathered; null: no pass of `core` is on top.
    static internal::Actions* NextOf(const Core& core) {
      if (top == nullptr || top->core_ != &core) return nullptr;
      if (!*top->next_) top->next_->emplace();
      return &(**top->next_)->actions;
    }

   private:
    static thread_local Pass* top;

    const Core* const core_;
    std::optional<internal::ScratchLease>* const next_;
    Pass*& top_;  // This thread's, which is found once.
    Pass* const outer_;
  };

  struct Waiter {
    std::size_t open = 0;
    std::optional<Error> first{};
    std::condition_variable_any over{};
  };

  static void RunTask(void* core, std::uint64_t call) noexcept;
  static void TimerTask(void* core, std::uint64_t unused) noexcept;

  // The top bit tells the sends of Publish from those of the engine's calls.
  static constexpr std::uint64_t kPublished = std::uint64_t{1} << 63;

  // One locked input to the engine, then what it asks for.
  template <typename Input>
  void Step(Input input) noexcept;
  void AfterInput(internal::Actions& actions) noexcept CIRRO_REQUIRES(mutex_);
  void Perform(internal::Actions& actions) noexcept;
  void PerformOutside(internal::Actions& actions) noexcept;
  void PerformOnce(internal::Actions& actions) noexcept;
  void PostAll(internal::Actions& actions) noexcept;
  void Observe(internal::Actions& actions) const noexcept;
  void TellSources(internal::Actions& actions) const noexcept;
  void TellDedup(internal::Actions& actions) noexcept;
  void Bury(internal::Actions& actions) noexcept;
  void SettleAll(internal::Actions& actions) noexcept;
  void SettleOne(internal::Actions::Settle& settle) const noexcept;
  void OnTimer() noexcept;
  void Signal() noexcept CIRRO_EXCLUDES(mutex_);
  [[nodiscard]] bool IsIdle() const noexcept CIRRO_REQUIRES(mutex_);

  void SettleNow(Delivery& delivery, Settlement&& settlement,
                 Duration since) const noexcept;
  // What no function is called for, the batch's one at `index`; `targets`, the
  // last of them there are, would have been.
  void TakeDead(Delivery& delivery, internal::Scratch::Dead dead,
                std::uint32_t index, std::uint32_t targets,
                internal::Scratch& scratch) const noexcept;
  [[nodiscard]] std::span<const std::uint32_t> Match(
      const Delivery& delivery, internal::Scratch& scratch) const;
  void AddTargets(const Delivery& delivery,
                  std::span<const std::uint32_t> functions,
                  internal::Scratch& scratch) const;
  [[nodiscard]] bool MayRunAtOnce(const Delivery& delivery,
                                  std::uint32_t function) const noexcept;
  // Begun `now`; when it ended, as far as anybody asked.
  TimePoint RunAtOnce(Delivery& delivery, std::uint32_t function,
                      TimePoint now) noexcept;
  void Run(internal::CallId call, internal::Actions& actions) noexcept;
  std::vector<internal::CallResult> RunBatch(const internal::Work& work,
                                             Context& context) noexcept;
  [[nodiscard]] bool Enter() noexcept CIRRO_EXCLUDES(mutex_);
  void Leave() noexcept CIRRO_EXCLUDES(mutex_);
  Result<void> PublishEntered(std::uint64_t call, std::string_view outlet,
                              std::span<const Event> events, TimePoint deadline,
                              bool may_wait) noexcept;
  void OnPublished(std::uint64_t send, const Result<void>& result) noexcept;
  void SendTo(std::uint32_t outlet, Event event,
              SendCompletion completion) noexcept;
  [[nodiscard]] Result<Event> Overridden(std::uint32_t outlet,
                                         const Event& event) const;
  // Null: the inlet is none.
  [[nodiscard]] const Transactional* TransactionalOf(
      const InletInfo& inlet) const noexcept;
  [[nodiscard]] Result<void> CanSend(const Transactional& source,
                                     std::uint32_t outlet,
                                     const Event& event) const;
  void CheckReplies(const Delivery& answered, std::uint32_t function,
                    internal::CallResult& result) const;
  [[nodiscard]] Result<void> CanPublish(std::uint64_t call,
                                        std::uint32_t outlet,
                                        std::span<const Event> events) noexcept;
  [[nodiscard]] internal::CallResult Single(const internal::Work& work,
                                            Context& context,
                                            Duration& took) noexcept;

  // Constant after construction.
  const Registry registry_;
  const std::span<const Function> functions_;
  const Router router_;
  const DispatcherOptions options_;
  const internal::ReplyBounds reply_bounds_;
  const DispatcherParts parts_;
  std::vector<char> at_once_;  // By function: whether RunAtOnce may run it.
  std::vector<char> buries_;   // And whether what it rejects is kept aside.
  std::vector<std::uint32_t> reply_to_;  // By function, as EngineFunction's.
  std::vector<internal::EngineInlet> sources_;  // In the order of the parts'.
  std::vector<const Transactional*>
      transactions_;  // The same; null: it is none.
  InlineHost inline_host_{*this};

  bool one_source_ = false;  // That does not wait.

  // Synchronises itself.
  std::atomic<bool> draining_{false};
  std::atomic<std::uint32_t> in_flight_{0};  // The engine's, as last seen.
  // Settlements that sources have not heard yet.
  std::atomic<std::size_t> settling_{0};
  std::atomic<int> idle_waiters_{0};
  std::condition_variable_any idle_;

  Mutex mutex_;
  internal::Engine engine_ CIRRO_GUARDED_BY(mutex_);
  TimePoint armed_ CIRRO_GUARDED_BY(mutex_) = TimePoint::max();
  int busy_ CIRRO_GUARDED_BY(mutex_) = 0;  // Threads between Enter and Leave.
  bool closed_ CIRRO_GUARDED_BY(mutex_) = false;

  // Held around Arm and SetDemand, so that the last one tells the truth.
  Mutex signal_mutex_;
  std::vector<char> told_demand_ CIRRO_GUARDED_BY(signal_mutex_);

  Mutex publish_mutex_;
  std::uint64_t last_publish_ CIRRO_GUARDED_BY(publish_mutex_) = 0;
  std::vector<std::pair<std::uint64_t, Waiter*>> publishing_
      CIRRO_GUARDED_BY(publish_mutex_);
};

template <typename Input>
void Dispatcher::Core::Step(Input input) noexcept {
  if (internal::Actions* const next = Pass::NextOf(*this); next != nullptr) {
    const MutexLock lock(mutex_);
    input(*next);
    AfterInput(*next);
    return;
  }
  const internal::ScratchLease scratch;
  {
    const MutexLock lock(mutex_);
    input(scratch->actions);
    AfterInput(scratch->actions);
  }
  Perform(scratch->actions);
}

}  // namespace cirro
