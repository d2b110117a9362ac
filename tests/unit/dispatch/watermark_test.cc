#include "cirro/dispatch/watermark.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <vector>

namespace cirro {
namespace {

using Arrival = Watermark::Arrival;
using Runs = std::vector<OffsetRun>;

Runs DoneAbove(const Watermark& watermark) {
  Runs runs{{7, 8}};  // Whatever was there before.
  watermark.DoneAbove(runs);
  return runs;
}

TEST(Watermark, IsAtTheNextOffsetWhenAllIsDone) {
  Watermark watermark;
  watermark.Reset(100);

  for (const std::uint64_t offset : {100U, 101U, 102U}) {
    EXPECT_EQ(watermark.Delivered(offset), Arrival::kOpen);
    EXPECT_TRUE(watermark.Done(offset));
  }

  EXPECT_EQ(watermark.position(), 103U);
  EXPECT_EQ(watermark.open(), 0U);
  EXPECT_EQ(watermark.span(), 0U);
}

TEST(Watermark, DoesNotPassAnOffsetThatIsOpen) {
  Watermark watermark;
  for (const std::uint64_t offset : {0U, 1U, 2U, 3U}) {
    watermark.Delivered(offset);
  }

  watermark.Done(0);
  watermark.Done(2);
  watermark.Done(3);

  EXPECT_EQ(watermark.position(), 1U);
  EXPECT_EQ(watermark.open(), 1U);
  EXPECT_EQ(watermark.span(), 3U);
  EXPECT_EQ(DoneAbove(watermark), (Runs{{2, 4}}));
  EXPECT_TRUE(watermark.IsDone(0));
  EXPECT_FALSE(watermark.IsDone(1));
  EXPECT_TRUE(watermark.IsDone(2));
  EXPECT_FALSE(watermark.IsDone(4));
}

TEST(Watermark, PassesWhatWillNeverCome) {
  Watermark watermark;
  watermark.Delivered(10);
  watermark.Delivered(20);
  watermark.Delivered(30);

  watermark.Done(20);
  EXPECT_EQ(watermark.position(), 10U);
  EXPECT_EQ(DoneAbove(watermark), (Runs{{11, 30}}));

  watermark.Done(10);
  EXPECT_EQ(watermark.position(), 30U);
}

TEST(Watermark, FollowsAReaderPastTransactionMarkers) {
  Watermark watermark;
  watermark.Delivered(5);
  watermark.Done(5);

  watermark.Advance(9);
  EXPECT_EQ(watermark.position(), 9U);
  watermark.Advance(7);

  EXPECT_EQ(watermark.position(), 9U);
  EXPECT_EQ(watermark.span(), 0U);
}

TEST(Watermark, FollowsAReaderNoFartherThanItsSpanWhileSomethingIsOpen) {
  Watermark watermark(64);
  watermark.Delivered(0);

  watermark.Advance(1'000'000);

  EXPECT_EQ(watermark.position(), 0U);
  EXPECT_EQ(watermark.next(), 64U);
  watermark.Done(0);
  EXPECT_EQ(watermark.position(), 64U);
  watermark.Advance(1'000'000);
  EXPECT_EQ(watermark.position(), 1'000'000U);
}

TEST(Watermark, IgnoresWhoeverSaysDoneLateOrTwice) {
  Watermark watermark;
  watermark.Reset(50);
  watermark.Delivered(50);
  watermark.Delivered(51);
  EXPECT_TRUE(watermark.Done(51));

  EXPECT_FALSE(watermark.Done(51));
  EXPECT_FALSE(watermark.Done(49));
  EXPECT_FALSE(watermark.Done(52));
  EXPECT_FALSE(watermark.Done(1'000'000));

  EXPECT_EQ(watermark.position(), 50U);
  EXPECT_EQ(watermark.open(), 1U);
}

TEST(Watermark, RefusesWhatIsBeyondItsSpanUntilThereIsRoom) {
  Watermark watermark(100);
  for (std::uint64_t offset = 0; offset < 100; ++offset) {
    ASSERT_EQ(watermark.Delivered(offset), Arrival::kOpen);
  }

  EXPECT_FALSE(watermark.HasRoom(100));
  EXPECT_EQ(watermark.Delivered(100), Arrival::kNoRoom);
  for (std::uint64_t offset = 1; offset < 100; ++offset) watermark.Done(offset);
  EXPECT_FALSE(watermark.HasRoom(100));
  watermark.Done(0);

  EXPECT_EQ(watermark.position(), 100U);
  EXPECT_TRUE(watermark.HasRoom(100));
  EXPECT_EQ(watermark.Delivered(100), Arrival::kOpen);
}

TEST(Watermark, TakesAnyOffsetWhenNothingIsOpen) {
  Watermark watermark(64);

  EXPECT_TRUE(watermark.HasRoom(1'000'000'000));
  EXPECT_EQ(watermark.Delivered(1'000'000'000), Arrival::kOpen);

  EXPECT_EQ(watermark.position(), 1'000'000'000U);
  EXPECT_EQ(watermark.span(), 1U);
}

TEST(Watermark, PassesOverWhatWasDoneBeforeItWasRestored) {
  Watermark watermark;
  watermark.Restore(100, Runs{{102, 104}, {106, 107}});

  EXPECT_EQ(watermark.Delivered(100), Arrival::kOpen);
  EXPECT_EQ(watermark.Delivered(101), Arrival::kOpen);
  EXPECT_EQ(watermark.Delivered(102), Arrival::kKnown);
  EXPECT_EQ(DoneAbove(watermark), (Runs{{102, 104}, {106, 107}}));
  watermark.Done(100);
  watermark.Done(101);
  EXPECT_EQ(watermark.position(), 104U);
  EXPECT_EQ(watermark.Delivered(103), Arrival::kKnown);
  EXPECT_EQ(watermark.Delivered(104), Arrival::kOpen);
  EXPECT_EQ(watermark.Delivered(105), Arrival::kOpen);
  EXPECT_EQ(watermark.Delivered(106), Arrival::kKnown);
  watermark.Done(104);
  watermark.Done(105);

  EXPECT_EQ(watermark.position(), 107U);
}

TEST(Watermark, LeavesOutOfWhatIsRestoredWhatItCannotHold) {
  Watermark watermark(64);

  watermark.Restore(100, Runs{{90, 95}, {98, 100}, {150, 170}, {900, 901}});

  EXPECT_EQ(watermark.position(), 100U);
  EXPECT_EQ(DoneAbove(watermark), (Runs{{150, 164}}));
  EXPECT_FALSE(watermark.IsDone(164));
}

TEST(Watermark, ForgetsWhenItIsReset) {
  Watermark watermark;
  watermark.Delivered(0);
  watermark.Delivered(1);
  watermark.Done(1);

  watermark.Reset(1);

  EXPECT_FALSE(watermark.Done(1));
  EXPECT_EQ(watermark.Delivered(1), Arrival::kOpen);
  EXPECT_EQ(watermark.open(), 1U);
}

// The same, as slowly and plainly as can be.
class Model {
 public:
  explicit Model(std::uint64_t span) : span_(span) {}

  void Restore(std::uint64_t position, const Runs& done) {
    state_.clear();
    base_ = next_ = position;
    for (const OffsetRun& run : done) {
      for (std::uint64_t at = run.begin; at < run.end; ++at) {
        if (at >= position && at < position + span_) state_[at] = true;
      }
    }
    Forget();
  }
  Arrival Delivered(std::uint64_t offset) {
    if (offset < next_) return Arrival::kKnown;
    if (open() > 0 && offset >= position() + span_) return Arrival::kNoRoom;
    Advance(offset, false);
    next_ = offset + 1;
    if (IsDone(offset)) return Arrival::kKnown;
    state_[offset] = false;
    return Arrival::kOpen;
  }
  bool Done(std::uint64_t offset) {
    const auto found = state_.find(offset);
    if (offset >= next_ || found == state_.end() || found->second) return false;
    found->second = true;
    Forget();
    return true;
  }
  void Advance(std::uint64_t next, bool bounded = true) {
    if (bounded && open() > 0) next = std::min(next, position() + span_);
    for (; next_ < next; ++next_) {
      if (next_ >= base_) state_[next_] = true;
    }
    Forget();
  }
  [[nodiscard]] std::uint64_t position() const { return base_; }
  [[nodiscard]] std::uint32_t open() const {
    std::uint32_t count = 0;
    for (const auto& [offset, done] : state_) count += done ? 0 : 1;
    return count;
  }
  [[nodiscard]] std::uint64_t next() const { return next_; }
  [[nodiscard]] bool IsDone(std::uint64_t offset) const {
    if (offset < base_) return true;
    const auto found = state_.find(offset);
    return found != state_.end() && found->second;
  }
  [[nodiscard]] Runs DoneAbove() const {
    Runs runs;
    for (const auto& [offset, done] : state_) {
      if (!done) continue;
      if (!runs.empty() && runs.back().end == offset) {
        ++runs.back().end;
      } else {
        runs.push_back({offset, offset + 1});
      }
    }
    return runs;
  }
  [[nodiscard]] std::vector<std::uint64_t> Open() const {
    std::vector<std::uint64_t> all;
    for (const auto& [offset, done] : state_) {
      if (!done) all.push_back(offset);
    }
    return all;
  }

 private:
  void Forget() {
    for (auto first = state_.begin();
         first != state_.end() && first->first == base_ && first->second;
         first = state_.erase(first)) {
      ++base_;
    }
  }

  const std::uint64_t span_;
  std::uint64_t base_ = 0;  // The position.
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, bool> state_;  // Whether it is done.
};

// One random life: every answer is the model's.
void RunSchedule(std::uint64_t seed) {
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const std::uint32_t span =
      std::vector<std::uint32_t>{1, 7, 63, 64, 65, 128, 200, 256}[random() % 8];
  Watermark watermark(span);
  Model model(span);
  const std::uint64_t base = random() % 1'000;
  Runs restored;
  for (std::uint64_t at = base; random() % 4 != 0;) {
    at += 1 + random() % 9;
    restored.push_back({at, at + 1 + random() % 5});
    at = restored.back().end;
  }
  watermark.Restore(base, restored);
  model.Restore(base, restored);

  std::uint64_t reader = base;
  for (int step = 0; step < 120; ++step) {
    switch (random() % 8) {
      case 0:
      case 1:
      case 2:
      case 3: {
        if (random() % 5 == 0) reader += random() % 40;
        ASSERT_EQ(watermark.HasRoom(reader),
                  model.open() == 0 || reader < model.position() + span);
        const Arrival arrival = model.Delivered(reader);
        ASSERT_EQ(watermark.Delivered(reader), arrival);
        if (arrival != Arrival::kNoRoom) ++reader;
        break;
      }
      case 4:
      case 5:
      case 6: {
        const auto open = model.Open();
        if (open.empty()) break;
        const std::uint64_t offset = open[random() % open.size()];
        ASSERT_TRUE(model.Done(offset));
        ASSERT_TRUE(watermark.Done(offset));
        break;
      }
      default: {
        const std::uint64_t offset = base + random() % 300;
        ASSERT_EQ(watermark.Done(offset), model.Done(offset));
        if (random() % 4 == 0) {
          watermark.Advance(reader);
          model.Advance(reader);
        }
      }
    }
    ASSERT_EQ(watermark.position(), model.position());
    ASSERT_EQ(watermark.open(), model.open());
    ASSERT_EQ(watermark.next(), model.next());
    ASSERT_EQ(DoneAbove(watermark), model.DoneAbove());
    const std::uint64_t any = base + random() % 300;
    ASSERT_EQ(watermark.IsDone(any), model.IsDone(any)) << any;
  }
}

TEST(Watermark, IsWhatAPlainModelIsInEveryOrder) {
  for (std::uint64_t seed = 0; seed < 1'500; ++seed) {
    RunSchedule(seed);
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace cirro
