#include <exception>
#include <stdexcept>
#include <utility>

#include "core.h"
#include "severity.h"

// Calling user code.

namespace cirro {

using internal::Actions;
using internal::CallId;
using internal::CallResult;
using internal::Failed;
using internal::FailureOf;
using internal::ScratchLease;
using internal::ToResult;
using internal::Work;

namespace {

// The one place where user code runs: what it throws ends here.
template <typename UserCode>
std::optional<CallResult> Guarded(UserCode code) noexcept {
  try {
    code();
    return std::nullopt;
  } catch (const std::exception& error) {
    const char* const why = error.what();
    return Failed(ErrorCode::kFunctionFailed,
                  why == nullptr
                      ? "the function threw an exception that gives no reason"
                      : internal::ErrorText(why));
  } catch (...) {
    return Failed(ErrorCode::kFunctionFailed,
                  "the function threw what is no std::exception");
  }
}

}  // namespace

// The common way: no lock, and no cache line that another thread writes.
TimePoint Dispatcher::Core::RunAtOnce(Delivery& delivery,
                                      std::uint32_t function,
                                      TimePoint now) noexcept {
  const FunctionSpec& spec = functions_[function].spec;
  const Delivery::Facts& facts = delivery.facts;
  const Work work{.function = function,
                  .delivery = &delivery,
                  .attempt = facts.attempt,
                  .started = now,
                  .deadline = std::min(now + spec.timeout, facts.deadline)};
  Context context(inline_host_, delivery.event(),
                  {.function = spec.name,
                   .inlet = delivery.inlet().name,
                   .attempt = work.attempt,
                   .deadline = work.deadline,
                   .trace = &facts.trace});
  Duration since{};
  CallResult result = Single(work, context, since);
  const bool replies_fit = result.replies.size() <= facts.reply_capacity;
  const bool buries =
      buries_[function] != 0 && result.error &&
      internal::SeverityOf(result.error->code) <= internal::Severity::kInvalid;
  if (!replies_fit || buries ||
      (result.error && !delivery.inlet().peer_waits)) {
    Step([&](Actions& actions) CIRRO_REQUIRES(mutex_) {
      engine_.AdmitFinished(std::move(delivery),
                            {.function = function, .by_source_key = true},
                            std::move(result), now + since, actions);
    });
  } else if (result.error) {
    SettleNow(delivery,
              FailureOf(*std::move(result.error),
                        result.after.value_or(std::chrono::milliseconds(0)),
                        delivery.inlet(), options_.retry.cap),
              since);
  } else {
    SettleNow(
        delivery,
        {.kind = Settlement::Kind::kAck, .replies = std::move(result.replies)},
        since);
  }
  return now + since;
}

CallResult Dispatcher::Core::Single(const Work& work, Context& context,
                                    Duration& took) noexcept {
  const Function& function = functions_[work.function];
  Observer* const observer = parts_.observer;
  if (observer != nullptr) {
    observer->Started(function.spec.name, *work.delivery, work.attempt);
  }
  CallResult result;
  if (auto thrown = Guarded([&] {
        result = ToResult(
            function.handler->Single(*work.delivery->event(), context),
            *work.delivery, function.spec.name, parts_.clock, reply_bounds_);
        CheckReplies(*work.delivery, work.function, result);
      });
      thrown) {
    result = *std::move(thrown);
  }
  if (observer != nullptr) {
    took = parts_.clock.Now() - work.started;
    observer->Finished(function.spec.name, *work.delivery, result.kind,
                       result.error ? &*result.error : nullptr, took);
  }
  return result;
}

std::vector<CallResult> Dispatcher::Core::RunBatch(const Work& work,
                                                   Context& context) noexcept {
  const Function& function = functions_[work.function];
  const internal::BatchRun& batch = *work.batch;
  const std::size_t size = batch.calls.size();
  Observer* const observer = parts_.observer;
  if (observer != nullptr) {
    for (std::size_t i = 0; i < size; ++i) {
      observer->Started(function.spec.name, *batch.deliveries[i],
                        batch.attempts[i]);
    }
  }
  std::vector<CallResult> results;
  auto failed = Guarded([&] {
    auto outcomes = function.handler->Batch(batch.events, context);
    if (outcomes.size() != size) {
      throw std::length_error("a batch of " + std::to_string(size) +
                              " events got " + std::to_string(outcomes.size()) +
                              " outcomes");
    }
    for (std::size_t i = 0; i < size; ++i) {
      results.push_back(ToResult(std::move(outcomes[i]), *batch.deliveries[i],
                                 function.spec.name, parts_.clock,
                                 reply_bounds_));
      CheckReplies(*batch.deliveries[i], work.function, results.back());
    }
  });
  if (failed) results.assign(size, *failed);
  if (observer != nullptr) {
    const Duration took = parts_.clock.Now() - work.started;
    for (std::size_t i = 0; i < size; ++i) {
      observer->Finished(function.spec.name, *batch.deliveries[i],
                         results[i].kind,
                         results[i].error ? &*results[i].error : nullptr, took);
    }
  }
  return results;
}

// Runs a posted call; what follows from it is added to `actions`.
void Dispatcher::Core::Run(CallId call, Actions& actions) noexcept {
  Work work;
  bool begun = false;
  {
    const TimePoint now = parts_.clock.Now();
    const MutexLock lock(mutex_);
    begun = engine_.Begin(call, now, work, actions);
    AfterInput(actions);
  }
  // Others' work does not wait for this function; its own thread's does.
  PerformOutside(actions);
  if (!begun) return;

  const Function& function = functions_[work.function];
  const Delivery& delivery = *work.delivery;
  const bool is_inline = function.spec.inline_call;
  ContextHost& host =
      is_inline ? static_cast<ContextHost&>(inline_host_) : *this;
  const bool batch = function.handler->form() == Handler::Form::kBatch;
  const Context::Facts facts{.function = function.spec.name,
                             .inlet = delivery.inlet().name,
                             .attempt = work.attempt,
                             .deadline = work.deadline,
                             .call = call,
                             .trace = batch ? nullptr : &delivery.facts.trace};
  switch (function.handler->form()) {
    case Handler::Form::kSingle: {
      Context context(host, delivery.event(), facts);
      Duration took{};
      CallResult result = Single(work, context, took);
      // Whose observer was told how long it took, the clock has just said.
      const TimePoint now =
          parts_.observer != nullptr ? work.started + took : parts_.clock.Now();
      const MutexLock lock(mutex_);
      engine_.Finish(call, {&result, 1}, now, actions);
      AfterInput(actions);
      return;
    }
    case Handler::Form::kBatch: {
      Context context(host, nullptr, facts);
      std::vector<CallResult> results = RunBatch(work, context);
      const TimePoint now = parts_.clock.Now();
      const MutexLock lock(mutex_);
      engine_.Finish(call, results, now, actions);
      AfterInput(actions);
      return;
    }
    case Handler::Form::kAsync: {
      // In the call's slot, because it lives until the Completion does.
      Context& context = work.context->emplace(host, delivery.event(), facts);
      if (parts_.observer != nullptr) {
        parts_.observer->Started(function.spec.name, delivery, work.attempt);
      }
      auto thrown = Guarded([&] {
        function.handler->Async(*delivery.event(), context,
                                Completion(shared_from_this(), call));
      });
      const TimePoint now = parts_.clock.Now();
      const MutexLock lock(mutex_);
      engine_.Returned(call, std::move(thrown), now, actions);
      AfterInput(actions);
      return;
    }
  }
}

void Dispatcher::Core::RunTask(void* core, std::uint64_t call) noexcept {
  const ScratchLease scratch;
  static_cast<Core*>(core)->Run(call, scratch->actions);
  static_cast<Core*>(core)->Perform(scratch->actions);
}

// What a function may do at any time, also with a Context or a Completion that
// it keeps past the dispatcher's end: then it does nothing.
bool Dispatcher::Core::Enter() noexcept {
  const MutexLock lock(mutex_);
  if (closed_) return false;
  ++busy_;
  return true;
}

void Dispatcher::Core::Leave() noexcept {
  const MutexLock lock(mutex_);
  --busy_;
  if (closed_ && busy_ == 0) idle_.notify_all();
}

void Dispatcher::Core::OnFinished(std::uint64_t call,
                                  Outcome outcome) noexcept {
  std::optional<Work> work;
  {
    const MutexLock lock(mutex_);
    if (closed_) return;
    work = engine_.Find(call);
    if (!work) return;
    ++busy_;
  }
  const std::string_view function = functions_[work->function].spec.name;
  CallResult result;
  if (auto failed = Guarded([&] {
        result = ToResult(std::move(outcome), *work->delivery, function,
                          parts_.clock, reply_bounds_);
        CheckReplies(*work->delivery, work->function, result);
      });
      failed) {
    result = *std::move(failed);
  }
  if (parts_.observer != nullptr) {
    const CallResult& counts = work->thrown != nullptr ? *work->thrown : result;
    parts_.observer->Finished(function, *work->delivery, counts.kind,
                              counts.error ? &*counts.error : nullptr,
                              parts_.clock.Now() - work->started);
  }
  Step([&](Actions& actions) CIRRO_REQUIRES(mutex_) {
    engine_.Completed(call, std::move(result), parts_.clock.Now(), actions);
  });
  Leave();
}

}  // namespace cirro
