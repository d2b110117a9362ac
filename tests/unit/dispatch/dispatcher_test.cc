#include "cirro/dispatch/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <optional>
#include <stdexcept>
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

// Each behaviour holds on the calling thread (inline) and on the executor.
class OneCall : public ::testing::TestWithParam<bool> {
 protected:
  template <typename F>
  Settlement AnswerOf(F function, std::uint32_t reply_capacity = 1) {
    rig_.On({.name = "f", .type = "t", .inline_call = GetParam()}, function);
    rig_.Start();
    return rig_.Answer(rig_.Post(TypedEvent("t"), reply_capacity));
  }

  DispatchRig rig_;
};

INSTANTIATE_TEST_SUITE_P(Dispatcher, OneCall, ::testing::Bool(),
                         [](const auto& param) {
                           return param.param ? "Inline" : "OnTheExecutor";
                         });

TEST_P(OneCall, ThatIsDoneIsAcknowledged) {
  const auto answer = AnswerOf([](const Event&) {});

  EXPECT_EQ(answer.kind, Settlement::Kind::kAck);
  EXPECT_THAT(answer.replies, IsEmpty());
}

TEST_P(OneCall, ReturnsItsReplyToAPeerThatCanTakeIt) {
  const auto answer = AnswerOf([](const Event& event) { return event; });

  EXPECT_EQ(answer.kind, Settlement::Kind::kAck);
  ASSERT_THAT(answer.replies, SizeIs(1));
  EXPECT_EQ(answer.replies[0], TypedEvent("t"));
}

TEST_P(OneCall, ThatRetriesIsGivenBackWithItsDelay) {
  const auto answer = AnswerOf(
      [](const Event&) { return Retry(milliseconds(1500), "not yet"); });

  EXPECT_EQ(answer.kind, Settlement::Kind::kNak);
  EXPECT_EQ(answer.delay, milliseconds(1500));
  EXPECT_EQ(CodeOf(answer), ErrorCode::kFunctionFailed);
  EXPECT_EQ(answer.error->message, "not yet");
}

TEST_P(OneCall, ThatRejectsIsNotToComeAgain) {
  const auto answer = AnswerOf([](const Event&) { return Reject("no"); });

  EXPECT_EQ(answer.kind, Settlement::Kind::kTerm);
  EXPECT_EQ(CodeOf(answer), ErrorCode::kRejected);
}

TEST_P(OneCall, ThatThrowsFailsAndTheNextEventIsServed) {
  int calls = 0;
  rig_.On({.name = "f", .type = "t", .inline_call = GetParam()},
          [&calls](const Event&) {
            switch (++calls) {
              case 1:
                throw std::runtime_error("no luck");
              case 2:
                throw 7;
              case 3:
                throw std::bad_alloc();
              default:
                break;
            }
          });
  rig_.Start();

  const std::size_t first = rig_.Post(TypedEvent("t"));
  const std::size_t second = rig_.Post(TypedEvent("t"));
  const std::size_t third = rig_.Post(TypedEvent("t"));
  const std::size_t fourth = rig_.Post(TypedEvent("t"));

  for (const std::size_t number : {first, second, third}) {
    EXPECT_EQ(rig_.Answer(number).kind, Settlement::Kind::kNak);
    EXPECT_EQ(CodeOf(rig_.Answer(number)), ErrorCode::kFunctionFailed);
  }
  EXPECT_EQ(rig_.Answer(first).error->message, "no luck");
  EXPECT_EQ(rig_.Answer(fourth).kind, Settlement::Kind::kAck);
}

TEST_P(OneCall, ThatThrowsWithoutAReasonFails) {
  struct Silence : std::exception {
    const char* what() const noexcept override { return nullptr; }
  };
  const auto answer = AnswerOf([](const Event&) { throw Silence(); });

  EXPECT_EQ(CodeOf(answer), ErrorCode::kFunctionFailed);
  EXPECT_EQ(answer.error->message,
            "the function threw an exception that gives no reason");
}

TEST_P(OneCall, CutsALongMessageToOneKibibyte) {
  const auto answer = AnswerOf(
      [](const Event&) { throw std::runtime_error(std::string(5000, 'x')); });

  EXPECT_EQ(answer.error->message.size(), 1024U);
}

TEST_P(OneCall, WithAnInvalidReplyFails) {
  const auto answer = AnswerOf(
      [](const Event&) { return Reply({.type = "", .source = "/function"}); });

  EXPECT_EQ(answer.kind, Settlement::Kind::kNak);
  EXPECT_EQ(CodeOf(answer), ErrorCode::kInvalidReply);
}

TEST_P(OneCall, WithATooLargeReplyFails) {
  rig_.options.max_reply_bytes = 1000;
  const auto answer = AnswerOf([](const Event&) {
    EventDraft draft = AReply();
    draft.data = Text(std::string(2000, 'x'));
    return Reply(std::move(draft));
  });

  EXPECT_EQ(CodeOf(answer), ErrorCode::kInvalidReply);
  EXPECT_THAT(answer.error->message, HasSubstr("max_reply_bytes"));
}

TEST_P(OneCall, WithRepliesThatAreTooLargeTogetherFails) {
  rig_.options.max_bytes = 10'000;
  const auto answer = AnswerOf([](const Event&) {
    EventDraft draft = AReply();
    draft.data = Text(std::string(2000, 'x'));
    return Replies(std::vector<ReplyItem>(5, draft));
  });

  EXPECT_EQ(CodeOf(answer), ErrorCode::kInvalidReply);
  EXPECT_THAT(answer.error->message, HasSubstr("reply 5"));
  EXPECT_THAT(answer.error->message, HasSubstr("max_in_flight_bytes"));
}

TEST_P(OneCall, SendsSeveralRepliesToTheOutletBeforeItIsAcknowledged) {
  rig_.options.reply_to = "slow";
  rig_.On({.name = "f", .type = "t", .inline_call = GetParam()},
          [](const Event&) {
            return Reply({AReply(), AReply()});
          });
  rig_.Start();

  const std::size_t number = rig_.Post(TypedEvent("t"));
  ASSERT_EQ(rig_.slow.open(), 2U);
  rig_.slow.Confirm();
  EXPECT_THAT(rig_.http.message(number).settlements, IsEmpty());
  rig_.slow.Confirm();

  EXPECT_EQ(rig_.Answer(number).kind, Settlement::Kind::kAck);
  EXPECT_THAT(rig_.Answer(number).replies, IsEmpty());
  ASSERT_THAT(rig_.slow.taken(), SizeIs(2));
  EXPECT_NE(rig_.slow.taken()[0].id(), rig_.slow.taken()[1].id());
}

// No outlet has room for as many as a function may return.
TEST_P(OneCall, SendsManyRepliesAFewAtATime) {
  rig_.options.reply_to = "slow";
  rig_.On({.name = "f", .type = "t", .inline_call = GetParam()},
          [](const Event&) {
            return Reply(std::vector<ReplyItem>(1'000, AReply()));
          });
  rig_.Start();

  const std::size_t number = rig_.Post(TypedEvent("t"));
  std::size_t most = 0;
  do {
    most = std::max(most, rig_.slow.open());
  } while (rig_.slow.Confirm());

  EXPECT_LE(most, 64U);
  EXPECT_THAT(rig_.slow.taken(), SizeIs(1'000));
  EXPECT_EQ(rig_.Answer(number).kind, Settlement::Kind::kAck);
}

TEST_P(OneCall, FailsWhenAReplyIsNotTaken) {
  rig_.options.reply_to = "slow";
  rig_.On({.name = "f", .type = "t", .inline_call = GetParam()},
          [](const Event&) {
            return Reply({AReply(), AReply()});
          });
  rig_.Start();

  const std::size_t number = rig_.Post(TypedEvent("t"));
  rig_.slow.Fail(ErrorCode::kUnavailable, 0, seconds(3));
  rig_.slow.Confirm();

  EXPECT_EQ(rig_.Answer(number).kind, Settlement::Kind::kNak);
  EXPECT_EQ(rig_.Answer(number).delay, seconds(3));
  EXPECT_EQ(CodeOf(rig_.Answer(number)), ErrorCode::kUnavailable);
}

// The event is neither too large nor refused for good because its reply is.
TEST_P(OneCall, FailsForNowWhateverIsSaidOfItsReply) {
  rig_.options.reply_to = "slow";
  rig_.On({.name = "f", .type = "t", .inline_call = GetParam()},
          [](const Event&) {
            return Reply({AReply(), AReply()});
          });
  rig_.Start();

  for (const auto& [said, code] :
       {std::pair(ErrorCode::kTooLarge, ErrorCode::kInvalidReply),
        std::pair(ErrorCode::kOverloaded, ErrorCode::kUnavailable),
        std::pair(ErrorCode::kRejected, ErrorCode::kUnavailable),
        std::pair(ErrorCode::kUnroutable, ErrorCode::kUnroutable)}) {
    const std::size_t number = rig_.Post(TypedEvent("t"));
    rig_.slow.Fail(said);
    rig_.slow.Confirm();

    EXPECT_EQ(rig_.Answer(number).kind, Settlement::Kind::kNak);
    EXPECT_EQ(CodeOf(rig_.Answer(number)), code);
  }
}

TEST_P(OneCall, FailsWhenTheOutletLosesAReply) {
  rig_.options.reply_to = "slow";
  rig_.On({.name = "f", .type = "t", .inline_call = GetParam()},
          [](const Event&) {
            return Reply({AReply(), AReply()});
          });
  rig_.Start();

  const std::size_t number = rig_.Post(TypedEvent("t"));
  rig_.slow.Drop();
  rig_.slow.Confirm();

  EXPECT_EQ(rig_.Answer(number).kind, Settlement::Kind::kNak);
  EXPECT_THAT(rig_.Answer(number).error->message, HasSubstr("unknown_outcome"));
}

TEST_P(OneCall, RejectsRepliesWithoutAPlaceAndNamesTheSetting) {
  const auto answer = AnswerOf([](const Event&) {
    return Reply({AReply(), AReply()});
  });

  EXPECT_EQ(answer.kind, Settlement::Kind::kTerm);
  EXPECT_EQ(CodeOf(answer), ErrorCode::kInvalidConfig);
  EXPECT_THAT(answer.error->message, HasSubstr("reply_to"));
}

TEST_P(OneCall, DiscardsRepliesWhereThatIsSet) {
  rig_.options.reply_to = "none";
  const auto answer = AnswerOf([](const Event&) {
    return Reply({AReply(), AReply()});
  });

  EXPECT_EQ(answer.kind, Settlement::Kind::kAck);
}

TEST_P(OneCall, MayNotPublishWhenItIsInline) {
  rig_.On({.name = "f", .type = "t", .inline_call = GetParam()},
          [](const Event& event, Context& context) -> Outcome {
            const auto sent = context.Publish("sink", event);
            if (!sent) return Reject(std::string(ToString(sent.error().code)));
            return Done();
          });
  rig_.Start();

  const auto answer = rig_.Answer(rig_.Post(TypedEvent("t")));

  if (GetParam()) {
    EXPECT_EQ(answer.error->message, "internal");
    EXPECT_THAT(rig_.sink.taken(), IsEmpty());
  } else {
    EXPECT_EQ(answer.kind, Settlement::Kind::kAck);
    EXPECT_THAT(rig_.sink.taken(), SizeIs(1));
  }
}

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
