// What a reliable consumer must survive, with a whole dispatcher on JetStream.
// Each test is a story that another project lived through. Those of the inlet
// alone are beside it: of its server (16, 30), its process (2, 13), its
// replicas (15), and its messages (12, 14, 17, 18).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <thread>

#include "contract/contract_fixture.h"
#include "contract/jetstream_under_test.h"
#include "support/jetstream_rig.h"
#include "support/real_time.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Diary;
using test::Eventually;
using test::Gate;
using test::HoldingSink;
using test::JetStreamUnderTest;
using test::Kept;
using test::Process;
using test::RunningInlet;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kType = "com.example.test";
// What failed may be given back to the server, and its key keeps nothing
// waiting.
const OrderBy kNone{.kind = OrderBy::Kind::kNone};

class JetStreamStories : public ::testing::Test {
 protected:
  explicit JetStreamStories(milliseconds ack_wait = seconds(5))
      : broker(false, ack_wait) {}

  void Publish(int id, const std::string& key = {}) {
    const auto event = EventBuilder()
                           .id(std::to_string(id))
                           .source("/stories")
                           .type(kType)
                           .Build();
    broker.Publish(topic, *event, key.empty() ? std::to_string(id) : key);
  }
  [[nodiscard]] test::InletWish Wish(std::uint32_t max_in_flight = 256) const {
    return {.topic = topic, .group = "worker", .max_in_flight = max_in_flight};
  }
  // What it gives up goes to `dead`.
  void Bury(Process& process) {
    process.AddOutlet("dead", dead);
    process.options.dead_letter = {"dead"};
  }
  bool AllSettled() {
    return Eventually([&] { return broker.Pending(topic, "worker") == 0; });
  }
  // How often the server gave out messages of a topic.
  std::uint64_t Deliveries(const std::string& of) {
    jsConsumerInfo* info = nullptr;
    if (js_GetConsumerInfo(&info, broker.peer().js(), of.c_str(), "worker",
                           nullptr, nullptr) != NATS_OK) {
      return 0;
    }
    const std::uint64_t deliveries = info->Delivered.Consumer;
    jsConsumerInfo_Destroy(info);
    return deliveries;
  }
  static std::string HeaderOf(const Kept& kept, const std::string& name) {
    for (const auto& [each, value] : kept.headers) {
      if (each == name) return value;
    }
    return {};
  }

  JetStreamUnderTest broker;
  std::string topic = broker.NewTopic(1);
  const std::string dead = broker.NewTopic(1);
  Diary tried;
  Diary done;
};

class JetStreamImpatient : public JetStreamStories {
 protected:
  // More than a busy machine stands still.
  JetStreamImpatient() : JetStreamStories(milliseconds(3'000)) {}
};

// Four times as long as the source waits, while others come and are done. A
// message that nobody extends tells how long that is.
TEST_F(JetStreamImpatient, Story8AFunctionThatTakesLongRunsOnceAndStopsNobody) {
  const std::string witness = broker.NewTopic(1);
  Gate gate;
  Process first(broker, Wish());
  Process second(broker, Wish());
  for (Process* const process : {&first, &second}) {
    process->On({.type = kType}, [&](const Event& event) {
      tried.Add(event.id());
      if (event.id() == "0") gate.Pass();
      done.Add(event.id());
    });
    process->Start();
  }
  Publish(0);
  ASSERT_TRUE(tried.Await(1));
  test::NotesObserver notes;
  RunningInlet<HoldingSink> forgetful(
      broker.MakeInlet({.topic = witness, .group = "worker"}, notes));
  broker.peer().PublishEvent(witness, "0");
  const Delivery unsettled = forgetful.sink.TakeOne();

  for (int i = 1; i <= 20; ++i) Publish(i);
  EXPECT_TRUE(done.Await(20));
  ASSERT_TRUE(Eventually([&] { return Deliveries(witness) > 4; }));
  gate.Open();

  EXPECT_TRUE(done.Await(21));
  EXPECT_TRUE(AllSettled());
  EXPECT_THAT(tried.all(), SizeIs(21));
  EXPECT_EQ(Deliveries(topic), 21U);
}

// What was settled before the end is not done again, and nothing is lost.
TEST_F(JetStreamStories, Story10AStopUnderLoadRepeatsNothing) {
  std::atomic<int> published = 0;
  std::jthread publisher([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) Publish(published++);
  });
  const auto begin = [&](Process& process) {
    process.On({.type = kType},
               [&](const Event& event) { done.Add(event.id()); });
    process.Start();
  };
  for (int round = 0; round < 8; ++round) {
    Process process(broker, Wish());
    const std::size_t before = done.all().size();
    begin(process);
    ASSERT_TRUE(done.Await(before + 100));
    process.Drain();
  }
  publisher = {};

  Process last(broker, Wish());
  begin(last);

  EXPECT_TRUE(AllSettled());
  const auto all = done.all();
  EXPECT_EQ(all.size(), static_cast<std::size_t>(published));
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size());
}

// An error of the place for dead letters is not ignored.
TEST_F(JetStreamStories, Story11WhileThePlaceForLettersIsAwayNothingIsLost) {
  constexpr std::uint32_t kMost = 4;
  constexpr int kEvents = 20;
  Process process(broker, Wish(kMost));
  Bury(process);
  process.On({.type = kType}, [](const Event&) { return Reject("never"); });
  broker.Refuse(dead);
  for (int i = 0; i < kEvents; ++i) Publish(i);
  process.Start();

  ASSERT_TRUE(process.observer.stalls.Await(kMost));
  EXPECT_EQ(broker.Pending(topic, "worker"), kEvents);
  // The source stalls: it has given what may be open, and no more.
  EXPECT_THAT(process.observer.started.all(), SizeIs(kMost));
  broker.Accept(dead);

  EXPECT_TRUE(AllSettled());
  std::set<std::string> ids;
  for (const Kept& kept : broker.Read(dead)) ids.insert(kept.id);
  EXPECT_THAT(ids, SizeIs(kEvents));
}

// One bad event in hundreds: those of other keys pass it, those of its own come
// when it is a letter.
TEST_F(JetStreamStories, Story12OneBadEventInManyStopsNoOtherKey) {
  constexpr int kEvents = 300;
  constexpr int kKeys = 10;
  constexpr int kBad = 77;
  Gate gate;
  std::atomic<int> bad_calls = 0;
  Process process(broker, Wish(512));
  Bury(process);
  process.options.retry.attempts = 4;
  process.On({.type = kType}, [&](const Event& event) -> Outcome {
    if (event.id() != std::to_string(kBad)) {
      done.Add(event.id());
      return Done();
    }
    if (++bad_calls == 4) gate.Pass();
    return Retry("bad");
  });
  for (int i = 0; i < kEvents; ++i) Publish(i, std::to_string(i % kKeys));
  process.Start();

  // All of the other keys, and those of its own before it.
  constexpr std::size_t kOthers = kEvents / kKeys * (kKeys - 1) + kBad / kKeys;
  ASSERT_TRUE(done.Await(kOthers));
  EXPECT_THAT(broker.Read(dead), IsEmpty());
  gate.Open();

  EXPECT_TRUE(done.Await(kEvents - 1));
  EXPECT_TRUE(AllSettled());
  EXPECT_THAT(done.counts(), SizeIs(kEvents - 1));
  EXPECT_EQ(bad_calls, 4);
  const auto letters = broker.Read(dead);
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].id, std::to_string(kBad));
  EXPECT_EQ(HeaderOf(letters[0], "cirro-dlq-reason"), "exhausted");
  EXPECT_EQ(HeaderOf(letters[0], "cirro-dlq-attempts"), "4");
}

// What a function needs is away for two seconds, and retries are quick: no
// event has used up its attempts.
TEST_F(JetStreamStories, Story17AShortOutageOfADependencyLosesNothing) {
  constexpr int kEvents = 20;
  Process process(broker, Wish());
  Bury(process);
  process.options.retry = {
      .attempts = 60, .base = milliseconds(50), .cap = milliseconds(200)};
  const auto back_at = std::chrono::steady_clock::now() + seconds(2);
  process.On({.type = kType, .order_by = kNone},
             [&](const Event& event) -> Outcome {
               tried.Add(event.id());
               if (std::chrono::steady_clock::now() < back_at)
                 return Retry("away");
               done.Add(event.id());
               return Done();
             });
  for (int i = 0; i < kEvents; ++i) Publish(i);
  process.Start();

  EXPECT_TRUE(done.Await(kEvents));

  EXPECT_TRUE(AllSettled());
  EXPECT_THAT(done.counts(), SizeIs(kEvents));
  EXPECT_THAT(broker.Read(dead), IsEmpty());
  // It was away, and asked more than once.
  EXPECT_GT(tried.all().size(), std::size_t{3 * kEvents});
}

// What is exhausted is a letter first, and only then leaves a work queue.
TEST_F(JetStreamStories, Story18WhatIsExhaustedEndsAsALetterAndLeavesItsQueue) {
  topic = "work";
  broker.peer().MakeStream(topic, topic, js_WorkQueuePolicy);
  Process process(broker, Wish());
  Bury(process);
  process.On({.type = kType, .order_by = kNone}, [&](const Event& event) {
    tried.Add(event.id());
    return Retry("never well");
  });
  broker.Refuse(dead);
  Publish(1);
  process.Start();

  ASSERT_TRUE(process.observer.stalls.Await(1));
  EXPECT_THAT(tried.all(), ElementsAre("1", "1", "1"));
  EXPECT_EQ(broker.peer().MessagesIn(topic), 1U);
  broker.Accept(dead);

  EXPECT_TRUE(Eventually([&] { return broker.peer().MessagesIn(topic) == 0; }));
  const auto letters = broker.Read(dead);
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].id, "1");
  EXPECT_EQ(HeaderOf(letters[0], "cirro-dlq-reason"), "exhausted");
  EXPECT_EQ(HeaderOf(letters[0], "cirro-dlq-attempts"), "3");
}

// A retry that the server gives again is no duplicate of what failed; what
// comes after the effect is.
TEST_F(JetStreamStories, Story24WhatFailedOnceIsDoneOnceWithDedup) {
  Process process(broker, Wish());
  process.dedup = true;
  process.On({.type = kType, .order_by = kNone, .dedup = true},
             [&](const Event& event) -> Outcome {
               tried.Add(event.id());
               if (tried.all().size() == 1) return Retry("not yet");
               done.Add(event.id());
               return Done();
             });
  Publish(1);
  process.Start();
  ASSERT_TRUE(done.Await(1));
  ASSERT_TRUE(AllSettled());

  Publish(1);

  EXPECT_TRUE(AllSettled());
  EXPECT_THAT(tried.all(), SizeIs(2));
  EXPECT_THAT(done.all(), SizeIs(1));
}

// Nor does a duplicate run while what failed waits for its next attempt.
TEST_F(JetStreamStories, Story25ADuplicateWaitsWhileItsEventWaitsToBeTried) {
  Process process(broker, Wish());
  process.dedup = true;
  process.On({.type = kType, .order_by = kNone, .dedup = true},
             [&](const Event& event) -> Outcome {
               tried.Add(event.id());
               if (tried.all().size() == 1)
                 return Retry(milliseconds(1'500), "not yet");
               done.Add(event.id());
               return Done();
             });
  Publish(1);
  process.Start();
  ASSERT_TRUE(tried.Await(1));

  Publish(1);
  ASSERT_TRUE(Eventually([&] { return Deliveries(topic) >= 2; }));
  EXPECT_THAT(tried.all(), SizeIs(1));

  ASSERT_TRUE(done.Await(1));
  EXPECT_TRUE(AllSettled());
  EXPECT_THAT(tried.all(), SizeIs(2));
  EXPECT_THAT(done.all(), SizeIs(1));
}

}  // namespace
}  // namespace cirro
