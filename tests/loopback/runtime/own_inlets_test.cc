// Inlets that a program brings along, in a whole App.

#include <cirro/cirro.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/mutex.h"
#include "support/real_time.h"
#include "support/transactional_inlet.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<std::string> kFlags = {"--host=127.0.0.1", "--port=0"};

// Who was told to drain.
struct Told {
  Mutex mutex;
  std::condition_variable_any changed;
  int count CIRRO_GUARDED_BY(mutex) = 0;
};

// One that is not done with its drain before `wanted` were told.
class Draining final : public Inlet {
 public:
  Draining(std::string name, Told& told, int wanted)
      : info_{.name = std::move(name)}, told_(told), wanted_(wanted) {}

  [[nodiscard]] const InletInfo& info() const noexcept override {
    return info_;
  }
  Result<void> Start(Sink& /*sink*/) override { return {}; }
  void SetDemand(bool /*wanted*/) noexcept override {}
  void BeginDrain(milliseconds patience) noexcept override {
    const MutexLock lock(told_.mutex);
    ++told_.count;
    told_.changed.notify_all();
    in_time_ = told_.changed.wait_for(told_.mutex, patience,
                                      [this]() CIRRO_REQUIRES(told_.mutex) {
                                        return told_.count >= wanted_;
                                      });
  }
  Result<void> Stop(milliseconds /*grace*/) noexcept override {
    if (in_time_) return {};
    return Error{ErrorCode::kDeadlineExceeded, "told one after the other"};
  }

 private:
  const InletInfo info_;
  Told& told_;
  const int wanted_;
  bool in_time_ = false;
};

// An inline function that holds the thread of one inlet delays no other's.
TEST(OwnInlets, AreAllToldToDrainBeforeAnyIsWaitedFor) {
  Told told;
  App app;
  app.On("t", [](const Event&) {});
  app.AddInlet(std::make_unique<Draining>("one", told, 2));
  app.AddInlet(std::make_unique<Draining>("two", told, 2));
  ASSERT_TRUE(app.Start(kFlags));
  testing::internal::CaptureStderr();

  static_cast<void>(app.Stop());

  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              Not(HasSubstr("told one after the other")));
}

TEST(OwnInlets, DedupWhereItDoesNothingIsSaid) {
  const test::RealClock clock;
  App app;
  app.On({.name = "bill", .type = "t", .dedup = true}, [](const Event&) {});
  app.On({.name = "audit", .type = "t"}, [](const Event&) {});
  app.AddInlet(std::make_unique<test::TransactionalInlet>(
      clock, InletInfo{.name = "orders"}));
  testing::internal::CaptureStderr();

  const auto started = app.Start(kFlags);

  const std::string log = testing::internal::GetCapturedStderr();
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_THAT(log, HasSubstr("`dedup` of this function does nothing"));
  EXPECT_THAT(log, HasSubstr(R"("function":"bill","inlet":"orders")"));
  EXPECT_THAT(log, Not(HasSubstr(R"("function":"audit")")));
}

}  // namespace
}  // namespace cirro
