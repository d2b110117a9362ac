// The inlet of the module "kafka" with exactly_once, against a real broker.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/mutex.h"
#include "support/event_fixtures.h"
#include "support/kafka_inlet_rig.h"
#include "support/real_time.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using test::Eventually;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class KafkaExactlyOnceTest : public test::KafkaInletTest {
 protected:
  void SetUp() override {
    KafkaInletTest::SetUp();
    if (IsSkipped()) return;
    in_ = tool().MakeTopic();
    out_ = tool().MakeTopic();
    dead_ = tool().MakeTopic();
  }

  KafkaInletOptions Options() {
    KafkaInletOptions options = KafkaInletTest::Options(in_);
    options.exactly_once.enabled = true;
    options.exactly_once.transactional_id = group_ + "-id";
    options.exactly_once.interval = milliseconds(30);
    return options;
  }
  std::unique_ptr<Outlet> OutletTo(const std::string& topic) {
    KafkaOutletOptions options;
    options.name = topic;
    options.connection.brokers = test::KafkaUrl();
    options.topic = topic;
    auto outlet = test::Kafka().make_outlet(options, clock_, notes_);
    if (!outlet) throw std::runtime_error(outlet.error().message);
    return *std::move(outlet);
  }
  // One whose deliveries are answered: each id by one event of that id. An id
  // that begins with "bad" is a dead letter.
  std::unique_ptr<Member> StartAnswering(const KafkaInletOptions& options) {
    outlet_ = OutletTo(out_);
    place_ = OutletTo(dead_);
    return Start(options, [this](Member& member) {
      const std::array<Outlet*, 1> outlets = {outlet_.get()};
      const std::array<DeadLetterPlace*, 1> places = {
          dynamic_cast<DeadLetterPlace*>(place_.get())};
      const auto joined =
          CapabilityOf<Transactional>(*member.inlet)->Join(outlets, places);
      ASSERT_TRUE(joined) << joined.error().message;
      member.sink.SettleBy([](const Delivery& delivery) {
        const Event& event = *delivery.event();
        if (event.id().starts_with("bad")) {
          Settlement settlement{.kind = Settlement::Kind::kTerm};
          DeadLetter letter{
              event, delivery.facts.original, delivery.facts.key, {}};
          letter.facts.position = delivery.position();
          settlement.letters.push_back({0, std::move(letter)});
          return settlement;
        }
        Settlement settlement{.kind = Settlement::Kind::kAck};
        settlement.outputs.push_back({0, event});
        return settlement;
      });
    });
  }
  std::vector<std::string> Ids(const std::string& topic) {
    std::vector<std::string> ids;
    for (const auto& record : tool().Read(topic)) {
      ids.push_back(record.Header("ce_id"));
    }
    return ids;
  }

  std::string in_;
  std::string out_;
  std::string dead_;
  std::unique_ptr<Outlet> outlet_;
  std::unique_ptr<Outlet> place_;
};

TEST_F(KafkaExactlyOnceTest, AnswersLettersAndOffsetsAppearTogether) {
  tool().WriteEvents(in_, 500);
  tool().WriteEvent(in_, "bad-1");
  tool().Flush();
  const auto member = StartAnswering(Options());
  member->sink.SettleAll();

  ASSERT_TRUE(AwaitCommitted(in_, 501));

  const auto ids = Ids(out_);
  ASSERT_THAT(ids, SizeIs(500));
  EXPECT_EQ(ids.front(), "0");
  EXPECT_EQ(ids.back(), "499");
  EXPECT_THAT(Ids(dead_), ElementsAre("bad-1"));
  EXPECT_THAT(member->notes.buried(),
              ElementsAre("in " + in_ + "/0@500 " + dead_));
  // A broker that has just started says so to the first transaction.
  EXPECT_THAT(member->notes.warnings(),
              Each(HasSubstr("Coordinator load in progress")));
}

TEST_F(KafkaExactlyOnceTest, NothingOfWhatIsAboveAHoleIsSent) {
  tool().WriteEvents(in_, 5);
  auto member = StartAnswering(Options());
  ASSERT_TRUE(member->sink.Await(5));
  for (const char* const id : {"0", "1", "3", "4"}) member->sink.Ack(id);

  ASSERT_TRUE(AwaitCommitted(in_, 2));
  EXPECT_THAT(Ids(out_), ElementsAre("0", "1"));
  static_cast<void>(member->Stop(milliseconds(0)));
  member.reset();

  const auto next = StartAnswering(Options());
  next->sink.SettleAll();
  ASSERT_TRUE(AwaitCommitted(in_, 5));
  EXPECT_THAT(next->sink.came(), ElementsAre("2", "3", "4"));
  EXPECT_THAT(Ids(out_), ElementsAre("0", "1", "2", "3", "4"));
}

// Story 28: a second instance takes the transactional id, or the group moves on
// within a transaction: nothing is sent twice.
TEST_F(KafkaExactlyOnceTest, Story28AnInstanceThatIsFencedSendsNothingMore) {
  tool().WriteEvents(in_, 10);
  const auto first = StartAnswering(Options());
  ASSERT_TRUE(first->sink.Await(10));
  auto first_outlet = std::move(outlet_);
  auto first_place = std::move(place_);

  KafkaInletOptions options = Options();
  options.group = test::KafkaTool::Fresh("other");  // Same id, by mistake.
  const auto second = StartAnswering(options);
  second->sink.SettleAll();
  ASSERT_TRUE(Eventually(
      [&] { return tool().Committed(options.group, in_).offset == 10; }));
  first->sink.SettleAll();

  ASSERT_TRUE(Eventually([&] { return !first->notes.failures().empty(); }));
  EXPECT_THAT(first->notes.failures()[0],
              HasSubstr("`exactly_once.transactional_id`"));
  EXPECT_EQ(LinkOf(*first->inlet), LinkState::Kind::kFailed);
  EXPECT_THAT(Ids(out_), SizeIs(10));
}

// It would be undone for ever, with three lines each time.
TEST_F(KafkaExactlyOnceTest, ATimeoutThatTheBrokerRefusesIsToldOnce) {
  tool().WriteEvents(in_, 1);
  KafkaInletOptions options = Options();
  options.exactly_once.transaction_timeout = std::chrono::minutes(30);
  const auto member = StartAnswering(options);
  member->sink.SettleAll();

  ASSERT_TRUE(Eventually([&] { return !member->notes.failures().empty(); }));
  EXPECT_THAT(member->notes.failures()[0], HasSubstr("transaction_timeout"));
  EXPECT_EQ(LinkOf(*member->inlet), LinkState::Kind::kFailed);
  EXPECT_THAT(Ids(out_), SizeIs(0));
}

TEST_F(KafkaExactlyOnceTest, Story28ARebalanceWithinATransactionSendsOnce) {
  in_ = tool().MakeTopic(4);
  constexpr int kEvents = 400;
  for (int i = 0; i < kEvents; ++i) {
    tool().WriteEvent(in_, std::to_string(i), i % 4);
  }
  tool().Flush();
  std::vector<std::unique_ptr<Member>> members;
  std::vector<std::unique_ptr<Outlet>> outlets;
  for (int i = 0; i < 3; ++i) {
    KafkaInletOptions options = Options();
    options.exactly_once.transactional_id += std::to_string(i);
    members.push_back(StartAnswering(options));
    members.back()->sink.SettleAll();
    outlets.push_back(std::move(outlet_));
    outlets.push_back(std::move(place_));
    // The next one joins while this one is in the middle of it.
    ASSERT_TRUE(Eventually([&] {
      return LinkOf(*members.back()->inlet) == LinkState::Kind::kConnected;
    }));
  }
  ASSERT_TRUE(members[0]->Stop());

  ASSERT_TRUE(Eventually([&] {
    std::int64_t sum = 0;
    for (int i = 0; i < 4; ++i) {
      sum += tool().Committed(group_, in_, i).offset;
    }
    return sum == kEvents;
  }));
  const auto ids = Ids(out_);
  EXPECT_THAT(ids, SizeIs(kEvents));
  EXPECT_THAT(std::set<std::string>(ids.begin(), ids.end()), SizeIs(kEvents));
}

TEST_F(KafkaExactlyOnceTest, AnAnswerThatCannotBeSentAbortsAndIsDoneAgain) {
  tool().WriteEvents(in_, 3);
  const auto member = StartAnswering(Options());
  int tries = 0;
  member->sink.SettleBy([&tries](const Delivery& delivery) {
    Settlement settlement{.kind = Settlement::Kind::kAck};
    settlement.outputs.push_back({0, *delivery.event()});
    if (delivery.event()->id() == "1" && ++tries == 1) {
      settlement.outputs.push_back(
          {0, test::MustBuild(EventBuilder(test::MinEvent())
                                  .data(Text(std::string(3'000'000, 'x'))))});
    }
    return settlement;
  });
  member->sink.SettleAll();

  ASSERT_TRUE(AwaitCommitted(in_, 3));

  EXPECT_THAT(Ids(out_), ElementsAre("0", "1", "2"));
  EXPECT_TRUE(member->notes.Said("a transaction was aborted"));
}

// One that hangs keeps what the others answered in memory, and not all of it.
TEST_F(KafkaExactlyOnceTest, WhatWaitsAboveAHoleIsBoundInBytes) {
  constexpr int kEvents = 2'000;
  in_ = tool().MakeTopic(2);
  tool().WriteEvents(in_, kEvents);
  tool().Flush();
  KafkaInletOptions options = Options();
  options.max_bytes = std::size_t{4} << 20;
  const auto member = StartAnswering(options);
  member->sink.SettleBy([](const Delivery& delivery) {
    Settlement settlement{.kind = Settlement::Kind::kAck};
    settlement.outputs.push_back(
        {0, test::MustBuild(EventBuilder(*delivery.event())
                                .data(Text(std::string(10'000, 'x'))))});
    return settlement;
  });
  member->sink.SettleAll("0");

  ASSERT_TRUE(Eventually([&] {
    return member->notes.Said("the partition's share of `max_in_flight_bytes`");
  }));
  // Half of 4 MiB is passed by no more than a batch.
  EXPECT_THAT(member->sink.came(), SizeIs(::testing::Lt(600U)));
  // The other partition goes on.
  tool().WriteEvents(in_, 500, 1, kEvents);
  ASSERT_TRUE(AwaitCommitted(in_, 500, 1));
  member->sink.SettleAll();
  ASSERT_TRUE(AwaitCommitted(in_, kEvents));
  EXPECT_THAT(Ids(out_), SizeIs(kEvents + 500));
}

// What is wrong may be so for long: each try is later than the one before.
TEST_F(KafkaExactlyOnceTest, WhatIsUndoneTimeAndAgainIsTriedMoreAndMoreSeldom) {
  using std::chrono::steady_clock;
  constexpr std::size_t kTries = 6;
  tool().WriteEvents(in_, 1);
  const auto member = StartAnswering(Options());
  Mutex mutex;
  std::vector<steady_clock::time_point> tries;
  member->sink.SettleBy([&](const Delivery& delivery) {
    Settlement settlement{.kind = Settlement::Kind::kAck};
    settlement.outputs.push_back({0, *delivery.event()});
    const MutexLock lock(mutex);
    tries.push_back(steady_clock::now());
    if (tries.size() < kTries) {
      settlement.outputs.push_back(
          {0, test::MustBuild(EventBuilder(test::MinEvent())
                                  .data(Text(std::string(3'000'000, 'x'))))});
    }
    return settlement;
  });
  member->sink.SettleAll();

  ASSERT_TRUE(AwaitCommitted(in_, 1));

  const MutexLock lock(mutex);
  ASSERT_THAT(tries, SizeIs(kTries));
  EXPECT_GE(tries.back() - tries.front(), milliseconds(50 * (1 + 2 + 4 + 8)));
}

// Markers of transactions take offsets: what is read to its end has lag 0.
TEST_F(KafkaExactlyOnceTest, AnIdleTransactionalTopicHasNoLag) {
  tool().WriteEvents(in_, 3);
  const auto member = StartAnswering(Options());
  member->sink.SettleAll();
  ASSERT_TRUE(AwaitCommitted(in_, 3));
  KafkaInletOptions options = KafkaInletTest::Options(out_);
  options.group = test::KafkaTool::Fresh("reader");
  const auto reader = Start(options);
  reader->sink.SettleAll();
  ASSERT_TRUE(reader->sink.Await(3));

  EXPECT_TRUE(Eventually([&] {
    const auto lag = CapabilityOf<LagReporter>(*reader->inlet)->Lag();
    return lag.size() == 1 && lag[0].messages == 0;
  }));
  // Beyond the third record, so beyond a marker.
  EXPECT_TRUE(Eventually(
      [&] { return tool().Committed(options.group, out_).offset > 3; }));
}

// A letter is counted when it is there, not when it was to be sent.
TEST_F(KafkaExactlyOnceTest, ALetterOfAnUndoneTransactionIsToldOnce) {
  tool().WriteEvents(in_, 1);
  const auto member = StartAnswering(Options());
  int tries = 0;
  member->sink.SettleBy([&tries](const Delivery& delivery) {
    Settlement settlement{.kind = Settlement::Kind::kTerm};
    DeadLetter letter{*delivery.event(), nullptr, {}, {}};
    settlement.letters.push_back({0, std::move(letter)});
    if (++tries == 1) {
      settlement.outputs.push_back(
          {0, test::MustBuild(EventBuilder(test::MinEvent())
                                  .data(Text(std::string(3'000'000, 'x'))))});
    }
    return settlement;
  });
  member->sink.SettleAll();

  ASSERT_TRUE(AwaitCommitted(in_, 1));

  EXPECT_TRUE(member->notes.Said("a transaction was aborted"));
  EXPECT_THAT(member->notes.buried(), SizeIs(1));
}

TEST_F(KafkaExactlyOnceTest, AnOutletElsewhereIsAStartUpError) {
  auto inlet = test::Kafka().make_inlet(Options(), clock_, notes_);
  ASSERT_TRUE(inlet);
  KafkaOutletOptions options;
  options.name = "far";
  options.connection.brokers = "elsewhere:9092";
  options.topic = out_;
  const auto outlet = test::Kafka().make_outlet(options, clock_, notes_);
  ASSERT_TRUE(outlet);
  const std::array<Outlet*, 1> outlets = {outlet->get()};

  const auto joined = CapabilityOf<Transactional>(**inlet)->Join(outlets, {});

  ASSERT_FALSE(joined);
  EXPECT_EQ(joined.error().code, ErrorCode::kInvalidConfig);
  EXPECT_THAT(joined.error().message, HasSubstr("'far'"));
}

// A function that outlives its inlet's end still ends.
TEST_F(KafkaExactlyOnceTest, WhatCanBeSentIsSaidPastItsEndToo) {
  const auto member = StartAnswering(Options());
  ASSERT_TRUE(member->Stop());

  const auto* const source = CapabilityOf<Transactional>(*member->inlet);

  EXPECT_TRUE(source->CanSend(0, test::MinEvent()));
  EXPECT_FALSE(source->CanSend(
      0, test::MustBuild(EventBuilder(test::MinEvent())
                             .data(Text(std::string(3'000'000, 'x'))))));
}

TEST_F(KafkaExactlyOnceTest, OnlyThenIsTheInletTransactional) {
  const auto plain =
      test::Kafka().make_inlet(KafkaInletTest::Options(in_), clock_, notes_);
  const auto exactly = test::Kafka().make_inlet(Options(), clock_, notes_);

  ASSERT_TRUE(plain && exactly);
  EXPECT_EQ(CapabilityOf<Transactional>(**plain), nullptr);
  EXPECT_NE(CapabilityOf<Transactional>(**exactly), nullptr);
}

}  // namespace
}  // namespace cirro
