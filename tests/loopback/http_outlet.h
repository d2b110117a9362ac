#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/http_client/http_client.h"
#include "support/load_module.h"

namespace cirro::test {

/// The module "http_client", as a program loads it.
inline const HttpClientApi& Api() { return LoadModule<HttpClientApi>(); }

struct Sent {
  Result<void> result;
  std::chrono::milliseconds retry_after;

  [[nodiscard]] ErrorCode code() const {
    return result ? ErrorCode::kInternal : result.error().code;
  }
  [[nodiscard]] std::string message() const {
    return result ? "sent" : result.error().message;
  }
};

// Hears how sends end, and waits for them.
class Listener final : public SendListener {
 public:
  void OnSent(std::uint64_t send, Result<void> result,
              std::chrono::milliseconds retry_after) noexcept override {
    const std::lock_guard lock(mutex_);
    sent_.emplace_back(send, Sent{std::move(result), retry_after});
    changed_.notify_all();
  }

  // The outcomes of `count` sends, in the order of their numbers.
  std::vector<Sent> Wait(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(30),
                      [&] { return sent_.size() >= count; });
    std::sort(sent_.begin(), sent_.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<Sent> outcomes;
    for (const auto& [send, outcome] : sent_) outcomes.push_back(outcome);
    return outcomes;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<std::uint64_t, Sent>> sent_;
};

inline Event SomeEvent(std::string_view id = "1") {
  return *EventBuilder()
              .id(id)
              .source("/s")
              .type("t")
              .subject("a b")
              .extension({"empty", ""})
              .data(JsonText(R"({"a":1})"))
              .Build();
}

class HttpOutlet : public ::testing::Test {
 protected:
  // An outlet that has not been started.
  void Make(HttpOutletOptions options) {
    auto made = Api().make_outlet(std::move(options));
    ASSERT_TRUE(made) << made.error().message;
    outlet_ = *std::move(made);
  }
  void Send(const Event& event) {
    outlet_->Send(event, SendCompletion(listener_, sends_++));
  }
  // How one event ends that is sent with `options`.
  Sent SendOne(HttpOutletOptions options, const Event& event = SomeEvent()) {
    Make(std::move(options));
    EXPECT_TRUE(outlet_->Start());
    Send(event);
    const std::vector<Sent> outcomes = listener_.Wait(1);
    if (outcomes.empty()) throw std::runtime_error("no outcome");
    return outcomes.front();
  }

  Listener listener_;
  std::unique_ptr<Outlet> outlet_;
  std::uint64_t sends_ = 0;
};

}  // namespace cirro::test
