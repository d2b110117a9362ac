// More work than there is time for: what waits until its peer's deadline is
// refused in time, and the function that was on its way to it is no hung one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "support/dispatch_rig.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::DispatchRig;
using test::TypedEvent;
using ::testing::IsEmpty;

class HungWatch final : public Observer {
 public:
  void Received(const Delivery& /*delivery*/) noexcept override {}
  void Started(std::string_view /*function*/, const Delivery& /*delivery*/,
               int /*attempt*/) noexcept override {}
  void Finished(std::string_view /*function*/, const Delivery& /*delivery*/,
                Outcome::Kind /*outcome*/, const Error* /*error*/,
                Duration /*took*/) noexcept override {}
  void Settled(const Delivery& /*delivery*/, const Settlement& /*settlement*/,
               Duration /*since*/) noexcept override {}
  void Hung(std::string_view /*function*/,
            const Delivery& /*delivery*/) noexcept override {
    ++hung;
  }
  void Logged(LogLevel /*level*/, std::string_view /*function*/,
              const Event* /*event*/, const TraceContext& /*trace*/,
              std::string_view /*message*/) noexcept override {}

  int hung = 0;
};

enum class Form { kOnTheExecutor, kOneAtATime, kOneLane, kBatch, kAsync };

// One worker, whose time passes in the function.
class Overload : public ::testing::TestWithParam<Form> {
 protected:
  static constexpr seconds kDeadline{25};

  void Start(milliseconds takes) {
    rig_.observer = &watch_;
    rig_.options.max_in_flight = 100;
    FunctionSpec spec{.name = "f", .type = "t", .timeout = seconds(20)};
    const auto work = [this, takes](std::string_view id) {
      begun_.emplace_back(id);
      rig_.clock.Advance(takes);
      rig_.timers.RunDue();
    };
    switch (GetParam()) {
      case Form::kOneAtATime:
        spec.concurrency = 1;
        break;
      case Form::kOneLane:
        spec.order_by.kind = OrderBy::Kind::kSubject;
        break;
      case Form::kBatch:
        spec.batch_max = 1;
        rig_.On(spec, [work](std::span<const Event> events) {
          work(events.front().id());
          return std::vector<Outcome>(events.size());
        });
        break;
      case Form::kAsync:
        rig_.On(spec,
                [work](const Event& event, Context&, Completion completion) {
                  work(event.id());
                  completion.Finish(Done());
                });
        break;
      case Form::kOnTheExecutor:
        break;
    }
    if (GetParam() != Form::kBatch && GetParam() != Form::kAsync) {
      rig_.On(spec, [work](const Event& event) { work(event.id()); });
    }
    rig_.Start();
  }
  void Publish(int count) {
    for (int i = 0; i < count; ++i) {
      rig_.http.Publish({.event = TypedEvent("t", std::to_string(i), "x"),
                         .patience = kDeadline});
    }
  }
  // How many requests had each end.
  std::map<ErrorCode, int> Ends() {
    std::map<ErrorCode, int> ends;
    for (std::size_t i = 0; i < rig_.http.size(); ++i) {
      const Settlement answer = rig_.Answer(i);
      if (answer.kind == Settlement::Kind::kAck) {
        ++done_;
      } else {
        ++ends[answer.error ? answer.error->code : ErrorCode::kInternal];
      }
    }
    return ends;
  }
  void ExpectNothingHung() {
    EXPECT_EQ(watch_.hung, 0);
    EXPECT_THAT(rig_.executor.hung(), IsEmpty());
    EXPECT_EQ(rig_.dispatcher->counts(), Dispatcher::Counts{});
    EXPECT_EQ(rig_.http.wrong_settlements(), 0U);
  }

  HungWatch watch_;
  std::vector<std::string> begun_;
  int done_ = 0;
  DispatchRig rig_;
};

INSTANTIATE_TEST_SUITE_P(Forms, Overload,
                         ::testing::Values(Form::kOnTheExecutor,
                                           Form::kOneAtATime, Form::kOneLane,
                                           Form::kBatch, Form::kAsync),
                         [](const auto& param_info) -> std::string {
                           switch (param_info.param) {
                             case Form::kOnTheExecutor:
                               return "OnTheExecutor";
                             case Form::kOneAtATime:
                               return "OneAtATime";
                             case Form::kOneLane:
                               return "OneLane";
                             case Form::kBatch:
                               return "Batch";
                             default:
                               return "Async";
                           }
                         });

TEST_P(Overload, IsRefusedAtOnceOrAtTheDeadline) {
  Start(milliseconds(700));
  Publish(1'000);

  rig_.Run();

  // 35 calls of 0.7 s end within 25 s, and the next one begins.
  const std::map<ErrorCode, int> ends = Ends();
  EXPECT_EQ(done_, 35);
  EXPECT_EQ(begun_.size(), 36U);
  EXPECT_THAT(ends, ::testing::ElementsAre(
                        ::testing::Pair(ErrorCode::kDeadlineExceeded, 65),
                        ::testing::Pair(ErrorCode::kOverloaded, 900)));
  ExpectNothingHung();
}

// The last call begins just before the deadline and then takes all that its
// timeout allows: far beyond the deadline, and well.
TEST_P(Overload, ACallThatBeganJustBeforeTheDeadlineIsNotHung) {
  Start(milliseconds(12'499));
  Publish(100);

  rig_.Run();

  const std::map<ErrorCode, int> ends = Ends();
  EXPECT_EQ(done_, 2);
  EXPECT_EQ(begun_.size(), 3U);
  EXPECT_THAT(ends, ::testing::ElementsAre(
                        ::testing::Pair(ErrorCode::kDeadlineExceeded, 98)));
  ExpectNothingHung();
}

TEST_P(Overload, IsOverWhenItIsOver) {
  Start(milliseconds(700));
  for (int wave = 0; wave < 20; ++wave) {
    Publish(200);
    rig_.Run();
  }
  ExpectNothingHung();
  const std::size_t before = begun_.size();

  const std::size_t next = rig_.Post(TypedEvent("t", "next", "x"));

  EXPECT_EQ(rig_.Answer(next).kind, Settlement::Kind::kAck);
  EXPECT_EQ(begun_.size(), before + 1);
  EXPECT_THAT(Ends(),
              ::testing::ElementsAre(
                  ::testing::Pair(ErrorCode::kDeadlineExceeded, 20 * 65),
                  ::testing::Pair(ErrorCode::kOverloaded, 20 * 100)));
}

// What does hang is told from it: the watch sees.
TEST_P(Overload, ACallPastItsTimeoutIsHung) {
  Start(milliseconds(20'001));
  Publish(1);

  rig_.Run();

  EXPECT_EQ(watch_.hung, 1);
  EXPECT_EQ(rig_.Answer(0).error->code, ErrorCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace cirro
