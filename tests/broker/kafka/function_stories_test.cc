// What a function and its source must survive together, against a real broker:
// a whole process but for its settings. Each test is a story that another
// project lived through.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "contract/kafka_under_test.h"
#include "contract/process.h"
#include "support/kafka_rig.h"
#include "support/kafka_server.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using test::AwaitThat;
using test::Diary;
using test::Gate;
using test::Process;
using ::testing::Each;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr const char* kType = "com.example.test";

class KafkaFunctionStories : public test::KafkaTest {
 protected:
  void SetUp() override {
    KafkaTest::SetUp();
    if (IsSkipped()) return;
    broker_ = std::make_unique<test::KafkaUnderTest>();
    topic_ = broker_->NewTopic(2);
  }
  [[nodiscard]] test::InletWish Wish(std::uint32_t max_in_flight = 256) const {
    return {.topic = topic_, .group = topic_, .max_in_flight = max_in_flight};
  }
  void Write(const std::string& id, std::int32_t partition,
             const std::string& key = {}) {
    tool().WriteEvent(topic_, id, partition, key, kType);
  }
  std::uint64_t Pending() { return broker_->Pending(topic_, topic_); }

  std::unique_ptr<test::KafkaUnderTest> broker_;
  std::string topic_;
};

// The letters' broker is down: none is lost, the source waits when its room is
// taken, and goes on when the broker is back.
TEST_F(KafkaFunctionStories, Story11TheSourceWaitsForTheLettersBroker) {
  if (test::KafkaHome().empty()) {
    GTEST_SKIP() << "CIRRO_TEST_KAFKA_HOME holds no Kafka";
  }
  constexpr int kEvents = 1'000;
  constexpr std::uint32_t kRoom = 256;
  test::KafkaServer server;
  KafkaOutletOptions options;
  options.name = "dead";
  options.connection.brokers = server.url();
  options.connection.librdkafka = {{"reconnect.backoff.max.ms", "200"}};
  options.topic = test::KafkaTool(server.url()).MakeTopic();
  options.timeout = milliseconds(1'000);
  auto dead = test::Kafka().make_outlet(options, clock_, notes_);
  ASSERT_TRUE(dead) << dead.error().message;
  Process process(*broker_, Wish(kRoom));
  process.AddOutlet(*std::move(dead));
  process.options.dead_letter = {"dead"};
  process.On({.type = kType}, [](const Event&) { return Reject("never"); });
  for (int i = 0; i < kEvents; ++i) Write(std::to_string(i), i % 2);
  tool().Flush();
  server.Kill();
  process.Start();

  // Each that has room, and some again.
  ASSERT_TRUE(process.observer.stalls.Await(kRoom + 100));
  EXPECT_EQ(Pending(), static_cast<std::uint64_t>(kEvents));
  // A batch may come above the room.
  EXPECT_LE(process.observer.started.all().size(), 2 * kRoom);
  EXPECT_EQ(tool().Committed(topic_, topic_, 0).offset, 0);
  EXPECT_EQ(tool().Committed(topic_, topic_, 1).offset, 0);
  server.Start();

  EXPECT_TRUE(AwaitThat([&] { return Pending() == 0; }));
  std::set<std::string> letters;
  for (const auto& record : test::KafkaTool(server.url()).Read(options.topic)) {
    letters.insert(record.Header("ce_id"));
  }
  EXPECT_THAT(letters, SizeIs(kEvents));
  EXPECT_EQ(process.observer.started.counts().size(),
            static_cast<std::size_t>(kEvents));
}

// One bad event in ten thousand keeps its own key waiting and no other, and is
// a dead letter when it was tried as often as it may be.
TEST_F(KafkaFunctionStories, Story12OneBadEventInManyKeepsItsKeyAloneWaiting) {
  constexpr int kEvents = 10'000;
  constexpr int kKeys = 100;
  constexpr int kBad = 1'207;  // Of key 7; 87 are behind it.
  constexpr int kBehind = (kEvents - kBad - 1) / kKeys;
  for (int i = 0; i < kEvents; ++i) {
    Write(std::to_string(i), i % 2, std::to_string(i % kKeys));
  }
  tool().Flush();
  const std::string dead = broker_->NewTopic(2);
  Process process(*broker_, Wish(1'024));
  process.AddOutlet("dead", dead);
  process.options.dead_letter = {"dead"};
  process.options.retry.attempts = 3;
  Gate last_try;
  std::atomic<int> tries{0};
  Diary done;
  process.On({.type = kType}, [&](const Event& event) -> Outcome {
    if (event.id() == std::to_string(kBad)) {
      if (++tries == 3) last_try.Pass();
      return Retry("bad");
    }
    done.Add(event.id());
    return Done();
  });

  process.Start();

  // All the others, while the bad one is tried.
  ASSERT_TRUE(done.Await(kEvents - 1 - kBehind));
  EXPECT_THAT(broker_->Read(dead), SizeIs(0));
  last_try.Open();
  ASSERT_TRUE(done.Await(kEvents - 1));
  EXPECT_TRUE(AwaitThat([&] { return Pending() == 0; }));
  EXPECT_EQ(tries, 3);
  EXPECT_THAT(done.counts(), SizeIs(kEvents - 1));
  EXPECT_THAT(done.counts(), Each(Pair(::testing::_, 1)));
  std::map<int, int> last;  // By key.
  for (const std::string& id : done.all()) {
    const int number = std::stoi(id);
    const int key = number % kKeys;
    EXPECT_TRUE(!last.contains(key) || last[key] < number) << id;
    last[key] = number;
  }
  const auto letters = broker_->Read(dead);
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].id, std::to_string(kBad));
  const std::map<std::string, std::string> headers(letters[0].headers.begin(),
                                                   letters[0].headers.end());
  EXPECT_EQ(headers.at("cirro-dlq-reason"), "exhausted");
  EXPECT_EQ(headers.at("cirro-dlq-attempts"), "3");
  EXPECT_EQ(headers.at("cirro-dlq-position"),
            topic_ + "/1@" + std::to_string(kBad / 2));
}

// What failed is no duplicate of itself: with `dedup` it is tried again, and
// its effect is there once.
TEST_F(KafkaFunctionStories, Story24WhatFailedAtFirstIsDoneOnceAllTheSame) {
  constexpr int kEvents = 50;
  Process process(*broker_, Wish());
  process.dedup = true;
  Diary tries;
  Diary effects;
  process.On({.type = kType, .dedup = true},
             [&](const Event& event) -> Outcome {
               tries.Add(event.id());
               if (tries.counts()[std::string(event.id())] == 1) {
                 return Retry("not yet");
               }
               effects.Add(event.id());
               return Done();
             });
  for (int i = 0; i < kEvents; ++i) Write(std::to_string(i), i % 2);
  tool().Flush();
  process.Start();
  ASSERT_TRUE(effects.Await(kEvents));
  ASSERT_TRUE(AwaitThat([&] { return Pending() == 0; }));

  // And now it is one.
  for (int i = 0; i < kEvents; ++i) Write(std::to_string(i), i % 2);
  tool().Flush();
  ASSERT_TRUE(AwaitThat([&] {
    return tool().Committed(topic_, topic_, 0).offset == kEvents &&
           tool().Committed(topic_, topic_, 1).offset == kEvents;
  }));

  EXPECT_THAT(effects.counts(), SizeIs(kEvents));
  EXPECT_THAT(effects.counts(), Each(Pair(::testing::_, 1)));
  EXPECT_THAT(tries.counts(), Each(Pair(::testing::_, 2)));
}

// Between two tries of an event its duplicate, of another partition, waits.
TEST_F(KafkaFunctionStories, Story25ADuplicateWaitsWhileItsEventIsTriedAgain) {
  Process process(*broker_, Wish());
  process.dedup = true;
  process.options.retry.attempts = 1'000'000;
  std::atomic<bool> works{false};
  Diary effects;
  process.On({.type = kType, .dedup = true},
             [&](const Event& event) -> Outcome {
               if (event.id() == "twice" && !works) return Retry("not yet");
               effects.Add(event.id());
               return Done();
             });
  Write("twice", 0);
  tool().Flush();
  process.Start();
  ASSERT_TRUE(process.observer.started.Await(1));

  Write("twice", 1);
  Write("after", 1);
  tool().Flush();
  ASSERT_TRUE(effects.Await(1));  // The duplicate came before.
  const std::size_t tried = process.observer.started.all().size();
  ASSERT_TRUE(process.observer.started.Await(tried + 5));
  works = true;

  EXPECT_TRUE(AwaitThat([&] { return Pending() == 0; }));
  EXPECT_THAT(effects.all(), ::testing::ElementsAre("after", "twice"));
  // Its own first try would be one more.
  EXPECT_EQ(process.observer.started.counts()["twice#1"], 1);
}

}  // namespace
}  // namespace cirro
