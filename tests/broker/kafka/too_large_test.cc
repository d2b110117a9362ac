// What its topic never takes, in a whole dispatcher with an inlet that is
// exactly once: the one event of it waits, or is a dead letter, and nobody
// else.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/dispatcher.h"
#include "cirro/dispatch/make_handler.h"
#include "support/kafka_inlet_rig.h"
#include "support/kafka_server.h"
#include "support/live_executor.h"
#include "support/real_time.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using test::Eventually;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Lt;
using ::testing::SizeIs;

constexpr int kEvents = 40;  // "0" to "39", in two partitions in turn.

class KafkaTooLargeTest : public test::KafkaInletTest {
 protected:
  void SetUp() override {
    KafkaInletTest::SetUp();
    if (IsSkipped()) return;
    in_ = tool().MakeTopic(2);
    out_ = tool().MakeTopic();
    dead_ = tool().MakeTopic();
    for (int i = 0; i < kEvents; ++i) {
      tool().WriteEvent(in_, std::to_string(i), i % 2);
    }
    tool().Flush();
  }
  void TearDown() override {
    if (!inlet_) return;
    inlet_->BeginDrain(milliseconds(5'000));
    dispatcher_->GiveBackAll();
    static_cast<void>(inlet_->Stop(milliseconds(5'000)));
    timers_.Stop();
    executor_.Stop();
    dispatcher_.reset();
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
  // Replies of this function go to `out_`, its dead letters to `dead_`.
  template <typename Function>
  void Start(Function&& function) {
    KafkaInletOptions options = Options(in_);
    options.exactly_once.enabled = true;
    options.exactly_once.transactional_id = group_ + "-id";
    options.exactly_once.interval = milliseconds(30);
    auto inlet = test::Kafka().make_inlet(options, clock_, notes_);
    ASSERT_TRUE(inlet) << inlet.error().message;
    inlet_ = *std::move(inlet);
    outlet_ = OutletTo(out_);
    place_ = OutletTo(dead_);
    auto* const place = dynamic_cast<DeadLetterPlace*>(place_.get());
    const std::array<Outlet*, 1> outlets = {outlet_.get()};
    const std::array<DeadLetterPlace*, 1> places = {place};
    ASSERT_TRUE(CapabilityOf<Transactional>(*inlet_)->Join(outlets, places));

    Registry registry;
    ASSERT_TRUE(registry.Add({{.name = "f", .type = "com.example.test"},
                              MakeHandler(std::forward<Function>(function))}));
    DispatcherOptions settings;
    settings.retry = {
        .attempts = 3, .base = milliseconds(10), .cap = milliseconds(50)};
    settings.reply_to = out_;
    settings.dead_letter = {dead_};
    settings.max_reply_bytes = std::size_t{4} << 20;
    auto made = Dispatcher::Make(std::move(registry), settings,
                                 {.clock = clock_,
                                  .executor = executor_,
                                  .timers = timers_,
                                  .observer = &notes_,
                                  .outlets = {{outlet_.get()}},
                                  .inlets = {inlet_.get()},
                                  .places = {place}});
    ASSERT_TRUE(made) << made.error().message;
    dispatcher_ = *std::move(made);
    ASSERT_TRUE(inlet_->Start(*dispatcher_));
  }
  static Event Answer(const Event& to, std::size_t bytes) {
    return *EventBuilder()
                .id(to.id())
                .source("/answers")
                .type("com.example.answer")
                .data(Text(std::string(bytes, 'x')))
                .Build();
  }
  bool AwaitAll() {
    return AwaitCommitted(in_, kEvents / 2, 0) &&
           AwaitCommitted(in_, kEvents / 2, 1);
  }
  std::vector<std::string> Ids(const std::string& topic) {
    std::vector<std::string> ids;
    for (const auto& record : tool().Read(topic)) {
      ids.push_back(record.Header("ce_id"));
    }
    return ids;
  }
  void ExpectAllButOne() {
    const auto ids = Ids(out_);
    EXPECT_THAT(ids, SizeIs(kEvents - 1));
    EXPECT_THAT(std::set<std::string>(ids.begin(), ids.end()),
                SizeIs(kEvents - 1));
    EXPECT_THAT(Ids(dead_), ElementsAre("1"));
  }

  std::string in_;
  std::string out_;
  std::string dead_;
  test::LiveExecutor executor_{2};
  test::LiveTimers timers_;
  std::unique_ptr<Outlet> outlet_;
  std::unique_ptr<Outlet> place_;
  std::unique_ptr<Inlet> inlet_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

TEST_F(KafkaTooLargeTest, AnAnswerIsTriedAgainAndThenADeadLetter) {
  Start([](const Event& event) {
    return Reply(Answer(event, event.id() == "1" ? 1'100'000 : 100));
  });

  ASSERT_TRUE(AwaitAll());

  ExpectAllButOne();
  const auto letter = tool().Read(dead_).front();
  EXPECT_EQ(letter.Header("cirro-dlq-attempts"), "3");
  EXPECT_THAT(letter.Header("cirro-dlq-last-error"),
              ::testing::HasSubstr("`librdkafka.\"message.max.bytes\"`"));
  EXPECT_EQ(notes_.Count("a transaction was aborted"), 0U);
}

TEST_F(KafkaTooLargeTest, AnAnswerForATopicThatTakesLessIsADeadLetter) {
  out_ = tool().MakeTopic(1, {{"max.message.bytes", "20000"}});
  Start([](const Event& event) {
    return Reply(Answer(event, event.id() == "1" ? 30'000 : 100));
  });

  ASSERT_TRUE(AwaitAll());

  ExpectAllButOne();
  EXPECT_THAT(tool().Read(dead_).front().Header("cirro-dlq-last-error"),
              ::testing::HasSubstr("`max.message.bytes`"));
  EXPECT_THAT(notes_.Count("a transaction was aborted"), Lt(8U));
}

// librdkafka fills a batch as far as its own limit allows.
TEST_F(KafkaTooLargeTest, ManyThatAreTooLargeTogetherAreSentFewAtATime) {
  out_ = tool().MakeTopic(1, {{"max.message.bytes", "20000"}});
  Start([](const Event& event) { return Reply(Answer(event, 5'000)); });

  ASSERT_TRUE(AwaitAll());

  EXPECT_THAT(Ids(out_), SizeIs(kEvents));
  EXPECT_THAT(Ids(dead_), IsEmpty());
  EXPECT_THAT(notes_.Count("a transaction was aborted"), Lt(8U));
}

TEST_F(KafkaTooLargeTest, ALetterStallsItsPartitionAlone) {
  dead_ = tool().MakeTopic(1, {{"max.message.bytes", "2000"}});
  Start([](const Event& event) -> Outcome {
    if (event.id() == "11") return Reject(std::string(3'000, 'x'));
    return Reply(Answer(event, 100));
  });

  ASSERT_TRUE(AwaitCommitted(in_, kEvents / 2, 0));
  ASSERT_TRUE(AwaitCommitted(in_, 5, 1));  // "1", "3", "5", "7", "9".

  EXPECT_THAT(Ids(out_), SizeIs(kEvents / 2 + 5));
  EXPECT_THAT(Ids(dead_), IsEmpty());
  EXPECT_THAT(notes_.Count("a transaction was aborted"), Lt(8U));
}

// A compacted topic takes nothing without a key, and its broker refuses all
// that comes with it.
TEST_F(KafkaTooLargeTest, AnAnswerThatIsRefusedIsADeadLetter) {
  out_ = tool().MakeTopic(1, {{"cleanup.policy", "compact"}});
  Start([](const Event& event) {
    EventBuilder answer(Answer(event, 100));
    if (event.id() != "1") {
      answer.extension({"partitionkey", std::string(event.id())});
    }
    return Reply(*answer.Build());
  });

  ASSERT_TRUE(AwaitAll());

  ExpectAllButOne();
  EXPECT_THAT(tool().Read(dead_).front().Header("cirro-dlq-last-error"),
              ::testing::HasSubstr("it is refused"));
  EXPECT_THAT(notes_.Count("a transaction was aborted"), Lt(8U));
  EXPECT_THAT(notes_.buried(), SizeIs(1));
}

TEST_F(KafkaTooLargeTest, WhatIsForATopicThatIsNotThereIsADeadLetter) {
  out_ = test::KafkaTool::Fresh("absent");
  Start([](const Event& event) -> Outcome {
    if (event.id() == "1") return Reply(Answer(event, 100));
    return Done();
  });

  ASSERT_TRUE(AwaitAll());

  EXPECT_THAT(Ids(dead_), ElementsAre("1"));
  EXPECT_THAT(notes_.Count("a transaction was aborted"), Lt(8U));
}

// Of a broker of its own, which has somebody to ask.
class KafkaForbiddenTest : public KafkaTooLargeTest,
                           public ::testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    if (test::KafkaHome().empty()) GTEST_SKIP() << "no CIRRO_TEST_KAFKA_HOME";
    before_ = test::KafkaUrl();
    server_ = std::make_unique<test::KafkaServer>(test::KafkaServerExtra{
        .properties =
            "authorizer.class.name="
            "org.apache.kafka.metadata.authorizer.StandardAuthorizer\n"
            "allow.everyone.if.no.acl.found=true\n"});
    setenv("CIRRO_TEST_KAFKA_URL", server_->url().c_str(), 1);
    KafkaTooLargeTest::SetUp();
  }
  void TearDown() override {
    KafkaTooLargeTest::TearDown();
    if (server_) setenv("CIRRO_TEST_KAFKA_URL", before_.c_str(), 1);
  }

  std::string before_;
  std::unique_ptr<test::KafkaServer> server_;
};

TEST_P(KafkaForbiddenTest, WhatIsForATopicThatIsNotAllowedIsADeadLetter) {
  tool().Forbid(out_, GetParam());
  Start([](const Event& event) -> Outcome {
    if (event.id() == "1") return Reply(Answer(event, 100));
    if (event.id() == "2") return Reject("no");
    return Done();
  });

  ASSERT_TRUE(AwaitAll());

  const auto ids = Ids(dead_);
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()),
            (std::set<std::string>{"1", "2"}));
  EXPECT_THAT(ids, SizeIs(2));
  EXPECT_THAT(notes_.Count("a transaction was aborted"), Lt(8U));
}

INSTANTIATE_TEST_SUITE_P(OfWhichItKnowsOrNot, KafkaForbiddenTest,
                         ::testing::Bool());

}  // namespace
}  // namespace cirro
