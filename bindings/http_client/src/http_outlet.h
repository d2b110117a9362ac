#pragma once

#include <curl/curl.h>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/dead_letter.h"
#include "cirro/dispatch/mutex.h"
#include "cirro/dispatch/outlet.h"
#include "cirro/http_client/http_client.h"
#include "target.h"
#include "transfer.h"

namespace cirro::internal::http_client {

/// The HTTP outlet: a bounded queue, one thread with a curl multi handle, and
/// as many transfers as there may be connections. A dead letter is sent as the
/// event that stands for it.
class HttpOutlet final : public Outlet, public DeadLetterPlace {
 public:
  /// Fails with kInvalidConfig.
  [[nodiscard]] static Result<std::unique_ptr<Outlet>> Make(
      HttpOutletOptions options);

  ~HttpOutlet() override;

  [[nodiscard]] std::string_view name() const noexcept override {
    return options_.name;
  }
  Result<void> Start() override;
  void Send(Event event, SendCompletion completion) noexcept override;
  void Stop(std::chrono::milliseconds grace) noexcept override;

  [[nodiscard]] std::string_view place_name() const noexcept override {
    return options_.name;
  }
  void Bury(DeadLetter letter, SendCompletion completion) noexcept override;

 private:
  struct FreeMulti {
    void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
  };

  HttpOutlet(HttpOutletOptions options, Target target);

  // What the thread does, and nobody else.
  void Run() noexcept;
  void Turn();
  [[nodiscard]] Transfer* IdleTransfer();
  [[nodiscard]] std::vector<Sending> TakeBatch();
  void FailOverdue() noexcept;
  void Finish(Transfer& transfer, const Answer& answer) noexcept;
  void GiveUpAll() noexcept;
  [[nodiscard]] bool IsDone() noexcept;

  const HttpOutletOptions options_;
  const Target target_;
  const std::unique_ptr<CURLM, FreeMulti> multi_;

  // The thread's own, once there is one.
  std::vector<std::unique_ptr<Transfer>> transfers_;
  std::size_t busy_ = 0;

  Mutex mutex_;
  std::deque<Sending> waiting_ CIRRO_GUARDED_BY(mutex_);
  std::size_t in_flight_ CIRRO_GUARDED_BY(mutex_) = 0;
  bool stopping_ CIRRO_GUARDED_BY(mutex_) = false;
  TimePoint give_up_at_ CIRRO_GUARDED_BY(mutex_) = TimePoint::max();

  std::jthread thread_;
};

}  // namespace cirro::internal::http_client
