#include "bindings/http/src/timer_wheel.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <random>
#include <vector>

namespace cirro::internal::http {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kBegin{std::chrono::hours(1)};

struct Timer : TimerNode {
  int fired = 0;
};

int Advance(TimerWheel& wheel, TimePoint now) {
  int fired = 0;
  wheel.Advance(now, [&](TimerNode& node) {
    ++static_cast<Timer&>(node).fired;
    ++fired;
  });
  return fired;
}

TEST(TimerWheel, FiresNotBeforeItsTimeAndWithinATickOfIt) {
  TimerWheel wheel(kBegin);
  Timer timer;
  wheel.Schedule(timer, kBegin + 1s);

  EXPECT_EQ(Advance(wheel, kBegin + 999ms), 0);
  EXPECT_GE(wheel.next(), kBegin + 1s);
  EXPECT_LE(wheel.next(), kBegin + 1s + TimerWheel::kTick);
  EXPECT_EQ(Advance(wheel, kBegin + 1s + TimerWheel::kTick), 1);
  EXPECT_EQ(wheel.next(), TimePoint::max());
}

TEST(TimerWheel, FiresAPastTimeSoon) {
  TimerWheel wheel(kBegin);
  Timer timer;
  Advance(wheel, kBegin + 10s);

  wheel.Schedule(timer, kBegin);

  EXPECT_EQ(Advance(wheel, kBegin + 10s + 2 * TimerWheel::kTick), 1);
}

TEST(TimerWheel, MovesATimerEarlierAndLeavesOneThatIsEarlyEnough) {
  TimerWheel wheel(kBegin);
  Timer timer;
  wheel.Schedule(timer, kBegin + 20s);
  wheel.Schedule(timer, kBegin + 5s);
  wheel.Schedule(timer, kBegin + 30s);

  EXPECT_EQ(Advance(wheel, kBegin + 6s), 1);
  EXPECT_EQ(Advance(wheel, kBegin + 40s), 0);
}

TEST(TimerWheel, ForgetsACancelledTimer) {
  TimerWheel wheel(kBegin);
  Timer timer;
  wheel.Schedule(timer, kBegin + 1s);

  TimerWheel::Cancel(timer);
  TimerWheel::Cancel(timer);

  EXPECT_EQ(Advance(wheel, kBegin + 2s), 0);
}

TEST(TimerWheel, FiresEarlyBeyondItsHorizonSoThatItIsScheduledAgain) {
  TimerWheel wheel(kBegin);
  Timer timer;
  wheel.Schedule(timer, kBegin + 75s);

  EXPECT_LT(wheel.next(), kBegin + 75s);
  EXPECT_EQ(Advance(wheel, wheel.next()), 1);
}

// Against a map of times: whoever is called schedules again until it is time.
TEST(TimerWheel, FiresEachTimerOnceInItsTickUnderRandomUse) {
  std::mt19937 random(7);
  std::vector<Timer> timers(200);
  std::map<TimerNode*, TimePoint> due;
  TimerWheel wheel(kBegin);
  TimePoint now = kBegin;
  int fired = 0;
  for (int step = 0; step < 20'000; ++step) {
    Timer& timer = timers[random() % timers.size()];
    if (random() % 4 == 0) {
      TimerWheel::Cancel(timer);
      due.erase(&timer);
    } else {
      due[&timer] = now + std::chrono::milliseconds(random() % 90'000);
      wheel.Schedule(timer, due[&timer]);
    }
    now +=
        std::chrono::milliseconds(random() % (step % 500 == 0 ? 60'000 : 90));
    wheel.Advance(now, [&](TimerNode& node) {
      ASSERT_EQ(due.count(&node), 1u);
      if (due[&node] <= now) {
        due.erase(&node);
        ++fired;
      } else {
        wheel.Schedule(node, due[&node]);
      }
    });
    for (const auto& [node, when] : due) {
      ASSERT_GT(when + 2 * TimerWheel::kTick, now);
      ASSERT_NE(node->tick, 0u);
    }
  }
  for (Timer& timer : timers) TimerWheel::Cancel(timer);

  EXPECT_GT(fired, 1'000);
}

}  // namespace
}  // namespace cirro::internal::http
