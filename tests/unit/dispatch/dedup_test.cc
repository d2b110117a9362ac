#include "cirro/dispatch/dedup.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "support/virtual_clock.h"

namespace {
std::atomic<long> blocks_alive{0};
}  // namespace

// This program counts what it holds.
void* operator new(std::size_t size) {
  void* const block = std::malloc(size);
  if (block == nullptr) throw std::bad_alloc();
  blocks_alive.fetch_add(1, std::memory_order_relaxed);
  return block;
}
void operator delete(void* block) noexcept {
  if (block == nullptr) return;
  blocks_alive.fetch_sub(1, std::memory_order_relaxed);
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
  operator delete(block);
}

namespace cirro {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr DedupKey kOne{.function = "f", .source = "/s", .id = "1"};
constexpr DedupKey kTwo{.function = "f", .source = "/s", .id = "2"};

class Asker final : public DedupListener {
 public:
  void OnClaimed(const DedupKey&, std::uint64_t,
                 Result<DedupAnswer> answer) noexcept override {
    last = *answer;
  }
  DedupAnswer last{};
};

class MemoryDedup : public ::testing::Test {
 protected:
  static constexpr seconds kWindow{600};
  static constexpr seconds kLease{30};

  DedupAnswer Ask(const DedupKey& key, std::uint64_t claim) {
    store_->Claim(key, claim, asker_);
    return asker_.last;
  }
  void Advance(milliseconds by) { clock_.Advance(by); }

  test::VirtualClock clock_;
  Asker asker_;
  std::unique_ptr<DedupStore> store_ =
      MakeMemoryDedup(clock_, kWindow, kLease, 100);
};

TEST_F(MemoryDedup, GivesAKeyToTheFirstAndHoldsTheOthersBack) {
  EXPECT_EQ(Ask(kOne, 1), DedupAnswer::kClaimed);

  EXPECT_EQ(Ask(kOne, 2), DedupAnswer::kHeld);
}

TEST_F(MemoryDedup, KnowsAKeyByFunctionSourceAndId) {
  EXPECT_EQ(Ask(kOne, 1), DedupAnswer::kClaimed);

  EXPECT_EQ(Ask({.function = "g", .source = "/s", .id = "1"}, 2),
            DedupAnswer::kClaimed);
  EXPECT_EQ(Ask({.function = "f", .source = "/t", .id = "1"}, 3),
            DedupAnswer::kClaimed);
  EXPECT_EQ(Ask(kTwo, 4), DedupAnswer::kClaimed);
  // Parts that only together spell the same.
  EXPECT_EQ(Ask({.function = "f", .source = "/", .id = "s1"}, 5),
            DedupAnswer::kClaimed);
  EXPECT_EQ(Ask({.function = "1f", .source = "/s", .id = ""}, 6),
            DedupAnswer::kClaimed);
}

TEST_F(MemoryDedup, RemembersWhatWasDoneForTheWindow) {
  (void)Ask(kOne, 1);
  store_->Done(kOne, 1);

  Advance(kWindow - milliseconds(1));
  EXPECT_EQ(Ask(kOne, 2), DedupAnswer::kDone);
  Advance(milliseconds(1));
  EXPECT_EQ(Ask(kOne, 3), DedupAnswer::kClaimed);
}

// Failure story 24: a record written before the effect makes the retry of a
// failure a "duplicate", and the event is lost.
TEST_F(MemoryDedup, Story24WhatFailedIsNobodysAndRunsAgain) {
  (void)Ask(kOne, 1);
  store_->Release(kOne, 1);

  EXPECT_EQ(Ask(kOne, 2), DedupAnswer::kClaimed);
  store_->Done(kOne, 2);
  EXPECT_EQ(Ask(kOne, 3), DedupAnswer::kDone);
}

// Story 24 where nobody was left to release it.
TEST_F(MemoryDedup, Story24AClaimWhoseHolderIsGoneRunsOut) {
  (void)Ask(kOne, 1);

  Advance(kLease - milliseconds(1));
  EXPECT_EQ(Ask(kOne, 2), DedupAnswer::kHeld);
  Advance(milliseconds(1));
  EXPECT_EQ(Ask(kOne, 2), DedupAnswer::kClaimed);
}

// Failure story 25: a lock that is let go between attempts lets a duplicate
// run during the retry's delay.
TEST_F(MemoryDedup, Story25ARenewedClaimHoldsForAsLongAsItIsRenewed) {
  (void)Ask(kOne, 1);

  for (int i = 0; i < 100; ++i) {
    Advance(kLease - milliseconds(1));
    ASSERT_EQ(Ask(kOne, 2), DedupAnswer::kHeld);
    store_->Renew(kOne, 1);
  }
}

TEST_F(MemoryDedup, RenewsAClaimThatRanOutAndThatNobodyTook) {
  (void)Ask(kOne, 1);
  Advance(kLease * 2 - milliseconds(1));

  store_->Renew(kOne, 1);

  EXPECT_EQ(Ask(kOne, 2), DedupAnswer::kHeld);
}

// Two threads tell it of one claim, and the renewal comes last.
TEST_F(MemoryDedup, DoesNotRenewWhatWasReleased) {
  (void)Ask(kOne, 1);

  store_->Release(kOne, 1);
  store_->Renew(kOne, 1);

  EXPECT_EQ(Ask(kOne, 2), DedupAnswer::kClaimed);
}

TEST_F(MemoryDedup, KeepsAClaimThatSomebodyElseTookMeanwhile) {
  (void)Ask(kOne, 1);
  Advance(kLease);
  (void)Ask(kOne, 2);

  store_->Release(kOne, 1);
  EXPECT_EQ(Ask(kOne, 3), DedupAnswer::kHeld);
  Advance(kLease / 2);
  store_->Renew(kOne, 1);
  Advance(kLease / 2);
  EXPECT_EQ(Ask(kOne, 3), DedupAnswer::kClaimed);
}

TEST_F(MemoryDedup, WhatWasDoneStaysDoneWhoeverElseHeldIt) {
  (void)Ask(kOne, 1);
  Advance(kLease);
  (void)Ask(kOne, 2);

  store_->Done(kOne, 1);
  store_->Release(kOne, 2);
  store_->Renew(kOne, 2);

  EXPECT_EQ(Ask(kOne, 3), DedupAnswer::kDone);
}

TEST_F(MemoryDedup, BelievesADoneWhoseClaimRanOut) {
  (void)Ask(kOne, 1);
  Advance(kLease);

  store_->Done(kOne, 1);

  EXPECT_EQ(Ask(kOne, 2), DedupAnswer::kDone);
}

TEST_F(MemoryDedup, GivesAnAskerItsOwnClaimAgain) {
  (void)Ask(kOne, 1);
  Asker other;

  EXPECT_EQ(Ask(kOne, 1), DedupAnswer::kClaimed);
  store_->Claim(kOne, 1, other);
  EXPECT_EQ(other.last, DedupAnswer::kHeld);
}

TEST_F(MemoryDedup, ForgetsTheOldestBeyondItsBoundAndNoClaim) {
  (void)Ask(kTwo, 1);
  std::vector<std::string> ids;
  for (int i = 0; i <= 100; ++i) ids.push_back("n" + std::to_string(i));
  for (const std::string& id : ids) {
    store_->Done({.function = "f", .source = "/s", .id = id}, 7);
  }

  EXPECT_EQ(Ask({.function = "f", .source = "/s", .id = ids[1]}, 8),
            DedupAnswer::kDone);
  EXPECT_EQ(Ask({.function = "f", .source = "/s", .id = ids[0]}, 9),
            DedupAnswer::kClaimed);
  EXPECT_EQ(Ask(kTwo, 10), DedupAnswer::kHeld);
}

TEST_F(MemoryDedup, HoldsNoMoreAfterAMillionEventsThanAfterAThousand) {
  const auto run = [this](std::uint64_t first, std::uint64_t end) {
    for (std::uint64_t i = first; i < end; ++i) {
      const std::string id =
          "an-id-too-long-to-sit-in-a-string-" + std::to_string(i);
      const DedupKey key{.function = "f", .source = "/s", .id = id};
      (void)Ask(key, i);
      if (i % 3 == 0) store_->Done(key, i);
      if (i % 3 == 1) store_->Release(key, i);
      // One in three is never heard of again: its lease ends it.
      Advance(milliseconds(100));
    }
  };
  run(0, 1000);
  const long before = blocks_alive.load();

  run(1000, 1'000'000);

  EXPECT_LE(blocks_alive.load(), before + 200);
}

TEST_F(MemoryDedup, TakesSpansBeyondTheEndOfTime) {
  store_ = MakeMemoryDedup(clock_, milliseconds::max(), milliseconds::max(), 9);

  (void)Ask(kOne, 1);
  store_->Done(kTwo, 2);
  Advance(std::chrono::hours(24 * 365));

  EXPECT_EQ(Ask(kOne, 3), DedupAnswer::kHeld);
  EXPECT_EQ(Ask(kTwo, 4), DedupAnswer::kDone);
}

TEST_F(MemoryDedup, GivesEachKeyToOneOfManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kKeys = 5000;
  std::atomic<int> claimed{0};

  std::vector<std::jthread> threads;
  for (std::uint64_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([this, &claimed, thread] {
      Asker asker;
      for (int i = 0; i < kKeys; ++i) {
        const std::string id = std::to_string(i);
        const DedupKey key{.function = "f", .source = "/s", .id = id};
        store_->Claim(key, thread, asker);
        if (asker.last == DedupAnswer::kClaimed) claimed.fetch_add(1);
      }
    });
  }
  threads.clear();

  EXPECT_EQ(claimed.load(), kKeys);
}

}  // namespace
}  // namespace cirro
