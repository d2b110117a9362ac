#include "cirro/dispatch/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/dispatch_rig.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::DispatchRig;
using test::MemoryInlet;
using test::TypedEvent;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

ErrorCode CodeOf(const Settlement& settlement) {
  return settlement.error ? settlement.error->code : ErrorCode::kInternal;
}

EventDraft AReply() { return {.type = "reply", .source = "/function"}; }

TEST(Dispatcher, SaysWhichOutletToConfigure) {
  DispatchRig rig;
  std::optional<Error> error;
  rig.On({.type = "t"}, [&error](const Event& event, Context& context) {
    error = context.Publish("elsewhere", event).error();
  });
  rig.Start();

  rig.Post(TypedEvent("t"));

  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kInvalidConfig);
  EXPECT_THAT(error->message, HasSubstr("[outlet.elsewhere]"));
}

TEST(Dispatcher, RefusesWhatNoFunctionTakes) {
  DispatchRig rig;
  rig.On({.type = "t"}, [](const Event&) {});
  rig.Start();

  const auto answer = rig.Answer(rig.Post(TypedEvent("other")));

  EXPECT_EQ(answer.kind, Settlement::Kind::kTerm);
  EXPECT_EQ(CodeOf(answer), ErrorCode::kNoFunction);
}

TEST(Dispatcher, AcceptsWhatNoFunctionTakesWhereThatIsSet) {
  DispatchRig rig;
  rig.options.unmatched = Unmatched::kAccept;
  rig.On({.type = "t"}, [](const Event&) {});
  rig.Start();

  EXPECT_EQ(rig.Answer(rig.Post(TypedEvent("other"))).kind,
            Settlement::Kind::kAck);
}

TEST(Dispatcher, SettlesWhatIsNoEventAsNever) {
  DispatchRig rig;
  rig.On({.type = "t"}, [](const Event&) {});
  rig.Start();

  const std::size_t number = rig.http.Publish({.broken = "{"});
  rig.Run();

  EXPECT_EQ(rig.Answer(number).kind, Settlement::Kind::kTerm);
  EXPECT_EQ(CodeOf(rig.Answer(number)), ErrorCode::kInvalidEvent);
}

TEST(Dispatcher, NeverTakesPoisonFromASourceThatForgets) {
  DispatchRig rig;
  rig.On({.type = "t"}, [](const Event&) { return Reject("never"); });
  rig.Start();

  const std::size_t broken = rig.broker.Publish({.broken = "{"});
  const std::size_t unmatched = rig.broker.Publish(TypedEvent("other"));
  const std::size_t rejected = rig.broker.Publish(TypedEvent("t"));
  rig.Advance(seconds(60));

  for (const std::size_t number : {broken, unmatched, rejected}) {
    const auto message = rig.broker.message(number);
    EXPECT_GT(message.settlements.size(), 3U);
    for (const Settlement& settlement : message.settlements) {
      EXPECT_EQ(settlement.kind, Settlement::Kind::kNak);
      EXPECT_GE(settlement.delay, rig.options.retry.cap);
    }
  }
}

TEST(Dispatcher, CallsEveryFunctionAndSettlesOnce) {
  DispatchRig rig;
  std::string order;
  rig.On({.name = "a", .type = "t"}, [&](const Event&) { order += 'a'; });
  rig.On({.name = "b", .type = "*"}, [&](const Event&) { order += 'b'; });
  rig.Start();

  const auto answer = rig.Answer(rig.Post(TypedEvent("t")));

  EXPECT_EQ(answer.kind, Settlement::Kind::kAck);
  EXPECT_EQ(order, "ab");
}

TEST(Dispatcher, TakesTheWorstOutcomeOfSeveral) {
  DispatchRig rig;
  rig.On({.name = "a", .type = "t"}, [](const Event&) { return Reject("a"); });
  rig.On({.name = "b", .type = "t"}, [](const Event&) { return Retry("b"); });
  rig.On({.name = "c", .type = "t"}, [](const Event&) {});
  rig.Start();

  const auto answer = rig.Answer(rig.Post(TypedEvent("t")));

  EXPECT_EQ(answer.kind, Settlement::Kind::kNak);
  EXPECT_EQ(answer.error->message, "b");
}

TEST(Dispatcher, CountsTheRepliesOfAllFunctionsTogether) {
  DispatchRig rig;
  rig.options.reply_to = "sink";
  rig.On({.name = "a", .type = "t"}, [](const Event&) { return AReply(); });
  rig.On({.name = "b", .type = "t"}, [](const Event&) { return AReply(); });
  rig.Start();

  const auto answer = rig.Answer(rig.Post(TypedEvent("t")));

  EXPECT_THAT(answer.replies, IsEmpty());
  EXPECT_THAT(rig.sink.taken(), SizeIs(2));
}

TEST(Dispatcher, KeepsRepliesOfAnEventThatComesAgain) {
  DispatchRig rig;
  rig.options.reply_to = "sink";
  rig.On({.name = "a", .type = "t"}, [](const Event&) { return AReply(); });
  rig.On({.name = "b", .type = "t"}, [](const Event&) { return Retry("b"); });
  rig.Start();

  rig.http.Publish({.event = TypedEvent("t"), .reply_capacity = 1});
  rig.http.Pump();
  rig.executor.RunAll();

  EXPECT_THAT(rig.sink.taken(), IsEmpty());
}

TEST(Dispatcher, SendsTheReplyWhenAnotherFunctionRejectsForGood) {
  DispatchRig rig;
  rig.options.reply_to = "sink";
  rig.On({.name = "a", .type = "t"}, [](const Event&) { return AReply(); });
  rig.On({.name = "b", .type = "t"}, [](const Event&) { return Reject("b"); });
  rig.Start();

  const auto answer = rig.Answer(rig.Post(TypedEvent("t")));

  EXPECT_EQ(answer.kind, Settlement::Kind::kTerm);
  EXPECT_THAT(rig.sink.taken(), SizeIs(1));
}

TEST(Dispatcher, CompletesADraftFromTheEventItAnswers) {
  DispatchRig rig;
  rig.On({.name = "f", .type = "t"}, [](const Event&) { return AReply(); });
  rig.Start();
  const auto event = EventBuilder()
                         .id("7")
                         .source("/in")
                         .type("t")
                         .extension({"traceparent", "00-parent"})
                         .extension({"correlationid", "chain"})
                         .Build();

  const Event first = rig.Answer(rig.Post(*event)).replies.at(0);
  const Event again = rig.Answer(rig.Post(*event)).replies.at(0);

  EXPECT_EQ(first, again) << "a redelivery's reply is recognised by its id";
  EXPECT_THAT(first.id(), SizeIs(36));
  EXPECT_FALSE(first.time_text().empty());
  EXPECT_EQ(first.extension("traceparent"), "00-parent");
  EXPECT_EQ(first.extension("correlationid"), "chain");
  EXPECT_EQ(first.extension("causationid"), "7");
}

TEST(Dispatcher, SetsTheOverridesOfAnOutlet) {
  DispatchRig rig;
  rig.options.reply_to = "sink";
  rig.On({.type = "t"}, [](const Event&) {
    return Reply({AReply(), AReply()});
  });
  auto parts = rig.Parts();
  parts.outlets[0].overrides = {{"region", "north"}};
  rig.dispatcher =
      *Dispatcher::Make(std::move(rig.registry), rig.options, std::move(parts));
  ASSERT_TRUE(rig.http.Start(*rig.dispatcher));

  rig.Post(TypedEvent("t"));

  ASSERT_THAT(rig.sink.taken(), SizeIs(2));
  EXPECT_EQ(rig.sink.taken()[0].extension("region"), "north");
}

TEST(Dispatcher, RefusesAtItsBoundAndSaysWhenToComeAgain) {
  DispatchRig rig;
  rig.options.max_in_flight = 1;
  rig.On({.type = "t"}, [](const Event&) {});
  rig.Start();

  const std::size_t first = rig.http.Publish(TypedEvent("t"));
  const std::size_t second = rig.http.Publish(TypedEvent("t"));
  rig.http.Pump();

  EXPECT_THAT(rig.http.message(first).settlements, IsEmpty());
  EXPECT_EQ(rig.Answer(second).kind, Settlement::Kind::kNak);
  EXPECT_EQ(CodeOf(rig.Answer(second)), ErrorCode::kOverloaded);
  EXPECT_EQ(rig.Answer(second).delay, rig.options.overload_delay);
}

TEST(Dispatcher, BoundsAFunctionByCountAndBytes) {
  DispatchRig rig;
  const std::size_t size = TypedEvent("bytes").memory_size();
  rig.On({.name = "a", .type = "count", .max_in_flight = 1},
         [](const Event&) {});
  rig.On({.name = "b", .type = "bytes", .max_bytes = size * 2},
         [](const Event&) {});
  rig.Start();

  for (const char* type : {"count", "count", "bytes", "bytes", "bytes"}) {
    rig.http.Publish(TypedEvent(type));
  }
  rig.http.Pump();

  EXPECT_THAT(rig.Answer(1).error->message, HasSubstr("function 'a' is full"));
  EXPECT_THAT(rig.Answer(4).error->message, HasSubstr("max_bytes"));
  EXPECT_EQ(rig.dispatcher->counts().in_flight, 3U);
  EXPECT_EQ(rig.dispatcher->counts().bytes,
            size * 2 + TypedEvent("count").memory_size());
}

TEST(Dispatcher, CountsTheBytesOfKeysToo) {
  DispatchRig rig;
  rig.On({.name = "f", .type = "t"}, [](const Event&) {});
  rig.Start();
  const std::string key(10'000, 'k');

  rig.http.Publish(TypedEvent("t"), key);
  rig.http.Pump();

  EXPECT_EQ(rig.dispatcher->counts().bytes,
            TypedEvent("t").memory_size() + key.size());
}

TEST(TraceContext, LeavesEntriesOutOfALongTracestate) {
  const std::string parent =
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const std::string fits = "a=" + std::string(510, 'x');
  const std::string huge = "b=" + std::string(60'000, 'x');
  const std::string entry = "c=" + std::string(98, 'x');
  std::string many = entry;
  for (int i = 0; i < 9; ++i) many += "," + entry;

  EXPECT_EQ(TraceContextOf(parent, fits, nullptr).tracestate, fits);
  EXPECT_EQ(TraceContextOf(parent, huge + ",d=1", nullptr).tracestate, "d=1");
  EXPECT_EQ(TraceContextOf(parent, many, nullptr).tracestate,
            many.substr(0, 5 * entry.size() + 4));
}

TEST(Dispatcher, SaysThatAnEventCanNeverFit) {
  DispatchRig rig;
  rig.options.max_bytes = 10;
  rig.On({.type = "t"}, [](const Event&) {});
  rig.Start();

  const auto answer = rig.Answer(rig.Post(TypedEvent("t")));

  EXPECT_EQ(answer.kind, Settlement::Kind::kTerm);
  EXPECT_EQ(CodeOf(answer), ErrorCode::kTooLarge);
}

TEST(Dispatcher, StopsAskingNearItsBoundAndAsksAgainAtHalf) {
  DispatchRig rig;
  rig.options.max_in_flight = 8;
  rig.On({.type = "t"}, [](const Event&) {});
  rig.Start();

  for (int i = 0; i < 20; ++i) rig.broker.Publish(TypedEvent("t"));
  while (rig.broker.Pump(1) > 0) {
  }
  EXPECT_EQ(rig.broker.open(), 6U);
  EXPECT_FALSE(rig.broker.demand());
  rig.executor.RunFirst();
  EXPECT_FALSE(rig.broker.demand());
  rig.executor.RunFirst();
  EXPECT_TRUE(rig.broker.demand());

  rig.Advance(seconds(10));
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(rig.broker.message(i).state, MemoryInlet::State::kAcked);
  }
}

TEST(Dispatcher, GivesNewDeliveriesBackWhileItDrains) {
  DispatchRig rig;
  rig.On({.name = "a", .type = "inline", .inline_call = true},
         [](const Event&) {});
  rig.On({.name = "b", .type = "pool"}, [](const Event&) {});
  rig.Start();

  const std::size_t open = rig.http.Publish(TypedEvent("pool"));
  rig.http.Pump();
  rig.dispatcher->BeginDrain();
  const std::size_t late = rig.http.Publish(TypedEvent("inline"));
  rig.http.Pump();

  EXPECT_EQ(CodeOf(rig.Answer(late)), ErrorCode::kDraining);
  EXPECT_FALSE(rig.broker.demand());
  EXPECT_FALSE(rig.dispatcher->WaitIdle(milliseconds(0)));
  rig.executor.RunAll();
  EXPECT_EQ(rig.Answer(open).kind, Settlement::Kind::kAck);
  EXPECT_TRUE(rig.dispatcher->WaitIdle(milliseconds(0)));
}

TEST(Dispatcher, GivesBackWhatDidNotBegin) {
  DispatchRig rig;
  rig.On({.type = "t", .concurrency = 1}, [](const Event&) {});
  rig.Start();

  for (int i = 0; i < 3; ++i) rig.broker.Publish(TypedEvent("t"), "key");
  const std::size_t waiting_peer = rig.http.Publish(TypedEvent("t"));
  rig.broker.Pump();
  rig.http.Pump();
  rig.dispatcher->GiveBackWaiting();

  EXPECT_EQ(rig.broker.open(), 0U);
  EXPECT_EQ(CodeOf(rig.broker.message(0).settlements.at(0)),
            ErrorCode::kDraining);
  rig.executor.RunAll();
  EXPECT_EQ(rig.Answer(waiting_peer).kind, Settlement::Kind::kAck);
}

TEST(Dispatcher, GivesEverythingBackWhenItsGraceIsOver) {
  DispatchRig rig;
  std::vector<Completion> open;
  std::stop_token stop;
  rig.On({.type = "t"},
         [&](const Event&, Context& context, Completion completion) {
           stop = context.stop_token();
           open.push_back(std::move(completion));
         });
  rig.Start();

  const std::size_t number = rig.Post(TypedEvent("t"));
  rig.dispatcher->GiveBackAll();

  EXPECT_EQ(CodeOf(rig.Answer(number)), ErrorCode::kDraining);
  EXPECT_TRUE(stop.stop_requested());
  EXPECT_FALSE(rig.dispatcher->WaitIdle(milliseconds(0)));
  open[0].Finish(Done());
  EXPECT_TRUE(rig.dispatcher->WaitIdle(milliseconds(0)));
  EXPECT_EQ(rig.http.wrong_settlements(), 0U);
}

TEST(Dispatcher, RefusesWhatCannotWork) {
  const auto error_of = [](DispatchRig& rig) {
    return Dispatcher::Make(std::move(rig.registry), rig.options, rig.Parts())
        .error();
  };
  DispatchRig empty;
  DispatchRig outlet;
  outlet.On({.type = "t", .reply_to = "elsewhere"}, [](const Event&) {});
  DispatchRig bound;
  bound.On({.type = "t"}, [](const Event&) {});
  bound.options.max_in_flight = 0;

  EXPECT_THAT(error_of(empty).message, HasSubstr("no function"));
  EXPECT_THAT(error_of(outlet).message, HasSubstr("'elsewhere'"));
  EXPECT_THAT(error_of(bound).message, HasSubstr("max_in_flight"));
}

}  // namespace
}  // namespace cirro
