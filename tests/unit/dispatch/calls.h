#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/dispatch_rig.h"

namespace cirro::test {

inline const OrderBy kBySubject{OrderBy::Kind::kSubject, {}};

// What functions log, with the id of the event that it is about.
class Lines final : public Observer {
 public:
  std::vector<std::string> said;

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
              const Event* event, const TraceContext& /*trace*/,
              std::string_view message) noexcept override {
    said.push_back((event == nullptr ? "" : std::string(event->id()) + ": ") +
                   std::string(message));
  }
};

// A function whose calls stay open until a test ends them.
class CallsTest : public ::testing::Test {
 protected:
  void OnHeld(FunctionSpec spec) {
    rig_.On(std::move(spec), [this](const Event& event, Context& context,
                                    Completion completion) {
      begun_ += std::string(event.id()) + ' ';
      attempts_.push_back(context.attempt());
      deadline_ = context.deadline();
      stop_ = context.stop_token();
      open_.push_back(std::move(completion));
    });
  }
  void Finish(Outcome outcome, std::size_t place = 0) {
    Completion completion = std::move(open_.at(place));
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(place));
    completion.Finish(std::move(outcome));
    rig_.Run();
  }
  Settlement::Kind KindOf(std::size_t number) {
    return rig_.Answer(number).kind;
  }

  std::string begun_;
  std::vector<int> attempts_;
  TimePoint deadline_;
  std::stop_token stop_;
  std::vector<Completion> open_;
  DispatchRig rig_;
};

}  // namespace cirro::test
