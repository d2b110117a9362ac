// The engine's small parts: timers, lanes, ordering keys, derived ids.

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>
#include <string>

#include "dispatch/src/json_pointer.h"
#include "dispatch/src/lanes.h"
#include "dispatch/src/reply.h"
#include "dispatch/src/severity.h"
#include "dispatch/src/timer_heap.h"

namespace cirro::internal {
namespace {

TEST(TimerHeap, GivesTheEarliestWhateverWasSetChangedAndRemoved) {
  std::mt19937_64 random(7);
  TimerHeap heap;
  std::map<std::uint32_t, TimePoint> model;

  for (int i = 0; i < 20'000; ++i) {
    const auto index = static_cast<std::uint32_t>(random() % 50);
    if (random() % 3 == 0) {
      heap.Remove(index);
      model.erase(index);
    } else {
      model[index] = TimePoint(Duration(random() % 1000));
      heap.Set(index, model[index]);
    }
    TimePoint earliest = TimePoint::max();
    for (const auto& [at, when] : model) earliest = std::min(earliest, when);
    ASSERT_EQ(heap.Earliest(), earliest);
    if (!model.empty() && random() % 10 == 0) {
      const std::uint32_t popped = heap.PopEarliest();
      ASSERT_EQ(model.at(popped), earliest);
      model.erase(popped);
    }
  }
}

TEST(Lanes, AreFoundByFunctionAndKeyWhileTheyAreOpen) {
  std::mt19937_64 random(7);
  Lanes lanes(99);
  std::map<std::pair<std::uint32_t, std::string>, std::uint32_t> model;

  for (int i = 0; i < 20'000; ++i) {
    const auto function = static_cast<std::uint32_t>(random() % 3);
    const std::string key = "key" + std::to_string(random() % 100);
    const auto open = model.find({function, key});
    if (open != model.end() && random() % 2 == 0) {
      lanes.Close(open->second);
      model.erase(open);
    } else {
      const std::uint32_t lane = lanes.Open(function, key);
      if (open != model.end()) {
        ASSERT_EQ(lane, open->second);
      }
      ASSERT_EQ(lanes[lane].key, key);
      model[{function, key}] = lane;
    }
    ASSERT_EQ(lanes.count(), model.size());
  }
}

TEST(KeyAt, FollowsThePointer) {
  const std::string json =
      R"( {"a" : {"b":[10, "x,]}\"", {"c":true}, null]}, "m~n":1, "a/b":2, )"
      R"("":3, "esc\u0061pe":"\ud83d\ude00\n"} )";
  std::string room;

  EXPECT_EQ(KeyAt(json, "/a/b/0", room), "10");
  EXPECT_EQ(KeyAt(json, "/a/b/1", room), "x,]}\"");
  EXPECT_EQ(KeyAt(json, "/a/b/2/c", room), "true");
  EXPECT_EQ(KeyAt(json, "/m~0n", room), "1");
  EXPECT_EQ(KeyAt(json, "/a~1b", room), "2");
  EXPECT_EQ(KeyAt(json, "/", room), "3");
  EXPECT_EQ(KeyAt(json, "/escape", room), "\xF0\x9F\x98\x80\n");
  EXPECT_EQ(KeyAt("7", "", room), "7");
}

TEST(KeyAt, FindsNoKeyInWhatIsNoScalar) {
  const std::string json = R"({"a":{"b":[10]},"n":null,"e":[]})";
  std::string room;

  for (const char* pointer : {"", "/a", "/a/b", "/a/b/1", "/a/b/00", "/a/b/-",
                              "/a/b/x", "/n", "/e/0", "/x", "/a/b/0/c"}) {
    EXPECT_EQ(KeyAt(json, pointer, room), "") << pointer;
  }
}

TEST(JsonPointer, IsCheckedByItsForm) {
  for (const char* good : {"", "/", "/a", "/a/~0~1"}) {
    EXPECT_TRUE(IsJsonPointer(good)) << good;
  }
  for (const char* bad : {"a", "/~", "/~2", "#/a"}) {
    EXPECT_FALSE(IsJsonPointer(bad)) << bad;
  }
}

TEST(DerivedId, NeverChanges) {
  EXPECT_EQ(DerivedId("/source", "1", "f", 0),
            "faeb9a2d-8bb6-5bfd-ad94-c6e30d70fcb3");
  EXPECT_NE(DerivedId("/source", "1", "f", 1),
            DerivedId("/source", "1", "f", 0));
  EXPECT_NE(DerivedId("/a", "b", "f", 0), DerivedId("/ab", "", "f", 0));
}

TEST(ErrorText, IsCutAtACharacter) {
  const std::string euro = "\xE2\x82\xAC";
  std::string text(1023, 'x');

  EXPECT_EQ(ErrorText(text + euro), text);
  EXPECT_EQ(ErrorText("a\nb\x7F"), "a b ");
}

TEST(ErrorText, HoldsNothingThatATerminalObeysOrReorders) {
  for (const char* const hidden :
       {"\xC2\x80", "\xC2\x9F", "\xD8\x9C", "\xE2\x80\x8E", "\xE2\x80\x8F",
        "\xE2\x80\xA8", "\xE2\x80\xAE", "\xE2\x81\xA6", "\xE2\x81\xA9"}) {
    EXPECT_EQ(ErrorText("a" + std::string(hidden) + "b"), "a b");
  }
  for (const char* const shown :
       {"\xC2\xA0", "\xD8\x9D", "\xE2\x80\x8D", "\xE2\x80\x90", "\xE2\x80\xAF",
        "\xE2\x81\xA5", "\xE2\x81\xAA", "\xE2\x82\xAC", "\xC2", "\xE2\x80"}) {
    EXPECT_EQ(ErrorText(shown), shown);
  }
}

TEST(Severity, IsInTheOrderOfTheStatusTable) {
  EXPECT_GT(SeverityOf(ErrorCode::kDeadlineExceeded),
            SeverityOf(ErrorCode::kFunctionFailed));
  EXPECT_GT(SeverityOf(ErrorCode::kFunctionFailed),
            SeverityOf(ErrorCode::kOverloaded));
  EXPECT_GT(SeverityOf(ErrorCode::kOverloaded),
            SeverityOf(ErrorCode::kInvalidEvent));
  EXPECT_GT(SeverityOf(ErrorCode::kInvalidEvent),
            SeverityOf(ErrorCode::kRejected));
}

}  // namespace
}  // namespace cirro::internal
