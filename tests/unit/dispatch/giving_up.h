#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/dispatch_rig.h"

namespace cirro::test {

// What an observer is told of failures, a line each.
class Told final : public Observer {
 public:
  std::vector<std::string> lines;

  void Received(const Delivery&) noexcept override {}
  void Started(std::string_view, const Delivery&, int) noexcept override {}
  void Finished(std::string_view, const Delivery&, Outcome::Kind, const Error*,
                Duration) noexcept override {}
  void Settled(const Delivery&, const Settlement&, Duration) noexcept override {
  }
  void Hung(std::string_view, const Delivery&) noexcept override {}
  void Logged(LogLevel, std::string_view, const Event*, const TraceContext&,
              std::string_view) noexcept override {}
  void Retrying(std::string_view function, const Delivery&, int next,
                std::chrono::milliseconds) noexcept override {
    Add("retrying " + std::string(function) + " " + std::to_string(next));
  }
  void Kept(std::string_view function, const Delivery&, DeadReason reason,
            const Error&) noexcept override {
    Add("kept " + std::string(function) + " " + std::string(Name(reason)));
  }
  void Dropped(std::string_view function, const Delivery&, DeadReason reason,
               const Error&) noexcept override {
    Add("dropped " + std::string(function) + " " + std::string(Name(reason)));
  }
  void Buried(const DeadLetterFacts& facts, const Delivery&,
              std::string_view place) noexcept override {
    Add("buried " + facts.function + " at " + std::string(place));
  }
  void NotBuried(const DeadLetterFacts&, const Delivery&,
                 std::string_view place, const Error& error,
                 bool stalled) noexcept override {
    Add(std::string(place) + " failed: " + std::string(ToString(error.code)) +
        (stalled ? ", stalled" : ""));
  }

 private:
  static std::string_view Name(DeadReason reason) {
    switch (reason) {
      case DeadReason::kExhausted:
        return "exhausted";
      case DeadReason::kRejected:
        return "rejected";
      case DeadReason::kMalformed:
        return "malformed";
      case DeadReason::kUnmatched:
        return "unmatched";
      case DeadReason::kCrashed:
        return "crashed";
    }
    return "";
  }
  void Add(std::string line) noexcept { lines.push_back(std::move(line)); }
};

class GivingUp : public ::testing::Test {
 protected:
  GivingUp() {
    rig_.observer = &told_;
    rig_.options.dead_letter = {"letters", "file"};
  }

  void OnFailing(FunctionSpec spec = {.name = "f", .type = "t"}) {
    rig_.On(std::move(spec), [this](const Event&) -> Outcome {
      ++calls_;
      return outcome_;
    });
  }

  Told told_;
  DispatchRig rig_;
  Outcome outcome_ = Retry("not now");
  int calls_ = 0;
};

}  // namespace cirro::test
