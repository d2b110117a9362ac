#include "cirro/dispatch/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <memory>
#include <thread>
#include <utility>

namespace cirro {
namespace {

// Hears of one call; what it hears twice would be a call that ended twice.
class CountingListener final : public CompletionListener {
 public:
  void OnFinished(std::uint64_t /*call*/, Outcome outcome) noexcept override {
    ++heard;
    kind = outcome.kind();
  }

  std::atomic<int> heard = 0;
  std::atomic<Outcome::Kind> kind = Outcome::Kind::kRetry;
};

class CompletionTest : public ::testing::Test {
 protected:
  std::shared_ptr<CountingListener> listener_ =
      std::make_shared<CountingListener>();
};

TEST_F(CompletionTest, FinishesOnce) {
  Completion completion(listener_, 7);
  completion.Finish(Reject("first"));

  completion.Finish(Done());

  EXPECT_EQ(listener_->heard, 1);
  EXPECT_EQ(listener_->kind, Outcome::Kind::kReject);
}

TEST_F(CompletionTest, FinishesNothingThatWasMovedAway) {
  Completion from(listener_, 7);
  const Completion to(std::move(from));

  // Its use is what is tested.
  // NOLINTNEXTLINE(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
  from.Finish(Done());

  EXPECT_EQ(listener_->heard, 0);
}

TEST_F(CompletionTest, StaysFinishedWhereItIsMovedTo) {
  Completion from(listener_, 7);
  from.Finish(Done());
  Completion to(std::move(from));

  to.Finish(Reject("late"));

  EXPECT_EQ(listener_->heard, 1);
}

TEST_F(CompletionTest, DropsWhatItHeldWhenAnotherIsAssigned) {
  const auto other = std::make_shared<CountingListener>();
  Completion completion(listener_, 7);

  completion = Completion(other, 8);
  completion.Finish(Done());

  EXPECT_EQ(listener_->heard, 1);
  EXPECT_EQ(listener_->kind, Outcome::Kind::kRetry);
  EXPECT_EQ(other->heard, 1);
  EXPECT_EQ(other->kind, Outcome::Kind::kDone);
}

// A result and the function's own timeout, each on its thread.
TEST_F(CompletionTest, FinishesOnceWhereTwoThreadsRace) {
  constexpr int kCalls = 2'000;
  std::unique_ptr<Completion> completion;
  std::barrier turn(2, [&]() noexcept {
    completion = std::make_unique<Completion>(listener_, 7);
  });
  const auto finish_each = [&] {
    for (int i = 0; i < kCalls; ++i) {
      turn.arrive_and_wait();
      completion->Finish(Done());
    }
  };

  {
    const std::jthread one(finish_each);
    const std::jthread other(finish_each);
  }

  EXPECT_EQ(listener_->heard, kCalls);
}

}  // namespace
}  // namespace cirro
