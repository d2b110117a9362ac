#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/kafka/kafka.h"
#include "support/kafka_tool.h"
#include "support/load_module.h"
#include "support/real_time.h"

namespace cirro::test {

/// The module "kafka", as a program loads it.
inline const KafkaApi& Kafka() { return LoadModule<KafkaApi>(); }

/// Keeps what parts say of themselves.
class Notes final : public Observer {
 public:
  void Received(const Delivery& /*delivery*/) noexcept override {}
  void Started(std::string_view /*function*/, const Delivery& /*delivery*/,
               int /*attempt*/) noexcept override {}
  void Finished(std::string_view /*function*/, const Delivery& /*delivery*/,
                Outcome::Kind /*outcome*/, const Error* /*error*/,
                Duration /*took*/) noexcept override {}
  void Settled(const Delivery& /*delivery*/, const Settlement& /*settlement*/,
               Duration /*since_received*/) noexcept override {}
  void Hung(std::string_view /*function*/,
            const Delivery& /*delivery*/) noexcept override {}
  void Logged(LogLevel /*level*/, std::string_view /*function*/,
              const Event* /*event*/, const TraceContext& /*trace*/,
              std::string_view /*message*/) noexcept override {}
  void Noted(LogLevel level, std::string_view part,
             std::string_view message) noexcept override {
    if (std::getenv("CIRRO_TEST_VERBOSE") != nullptr) {
      std::fprintf(stderr, "%d %.*s: %.*s\n", static_cast<int>(level),
                   static_cast<int>(part.size()), part.data(),
                   static_cast<int>(message.size()), message.data());
    }
    const std::lock_guard lock(mutex_);
    if (level >= LogLevel::kWarning) warnings_.emplace_back(message);
    lines_.emplace_back(message);
  }
  void Failed(std::string_view /*part*/, const Error& error) noexcept override {
    const std::lock_guard lock(mutex_);
    failures_.push_back(error.message);
  }

  void Buried(const DeadLetterFacts& facts, const Delivery& delivery,
              std::string_view place) noexcept override {
    const std::lock_guard lock(mutex_);
    buried_.push_back(delivery.inlet().name + " " + facts.position + " " +
                      std::string(place));
  }
  /// "inlet position place" of each dead letter that is safe.
  [[nodiscard]] std::vector<std::string> buried() {
    const std::lock_guard lock(mutex_);
    return buried_;
  }
  void Lost(std::string_view /*part*/,
            std::uint64_t messages) noexcept override {
    const std::lock_guard lock(mutex_);
    lost_ += messages;
  }
  /// So many messages left their source unseen.
  [[nodiscard]] std::uint64_t lost() {
    const std::lock_guard lock(mutex_);
    return lost_;
  }
  [[nodiscard]] bool Said(std::string_view text) {
    const std::lock_guard lock(mutex_);
    return std::any_of(lines_.begin(), lines_.end(), [&](const auto& line) {
      return line.find(text) != std::string::npos;
    });
  }
  /// How many lines begin so.
  [[nodiscard]] std::size_t Count(std::string_view start) {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::count_if(lines_.begin(), lines_.end(), [&](const auto& line) {
          return std::string_view(line).starts_with(start);
        }));
  }
  /// The last of them; empty: there is none.
  [[nodiscard]] std::string Last(std::string_view start) {
    const std::lock_guard lock(mutex_);
    const auto at =
        std::find_if(lines_.rbegin(), lines_.rend(), [&](const auto& line) {
          return std::string_view(line).starts_with(start);
        });
    return at == lines_.rend() ? std::string() : *at;
  }
  [[nodiscard]] std::vector<std::string> warnings() {
    const std::lock_guard lock(mutex_);
    return warnings_;
  }
  [[nodiscard]] std::vector<std::string> failures() {
    const std::lock_guard lock(mutex_);
    return failures_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
  std::vector<std::string> warnings_;
  std::vector<std::string> failures_;
  std::vector<std::string> buried_;
  std::uint64_t lost_ = 0;
};

/// Hears how sends end.
class Confirmations final : public SendListener {
 public:
  [[nodiscard]] SendCompletion Expect() {
    const std::lock_guard lock(mutex_);
    return {*this, next_++};
  }
  void OnSent(std::uint64_t send, Result<void> result,
              std::chrono::milliseconds /*retry_after*/) noexcept override {
    const std::lock_guard lock(mutex_);
    results_.emplace(send, std::move(result));
    heard_.notify_all();
  }
  /// The end of the one that was expected as number `send`, from 0.
  [[nodiscard]] Result<void> Of(std::uint64_t send) {
    std::unique_lock lock(mutex_);
    if (!heard_.wait_for(lock, std::chrono::seconds(60),
                         [&] { return results_.count(send) != 0; })) {
      return Error{ErrorCode::kInternal, "never heard of"};
    }
    return results_.at(send);
  }
  [[nodiscard]] std::size_t count() {
    const std::lock_guard lock(mutex_);
    return results_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable heard_;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, Result<void>> results_;
};

/// Of tests that need a broker: skipped aloud where there is none.
class KafkaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (KafkaUrl().empty()) {
      GTEST_SKIP() << "CIRRO_TEST_KAFKA_URL names no broker";
    }
    tool_ = std::make_unique<KafkaTool>(KafkaUrl());
  }
  [[nodiscard]] KafkaTool& tool() { return *tool_; }

  RealClock clock_;
  Notes notes_;

 private:
  std::unique_ptr<KafkaTool> tool_;
};

}  // namespace cirro::test
