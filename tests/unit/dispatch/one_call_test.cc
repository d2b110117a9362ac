// One event for one function.

#include "cirro/dispatch/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
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

}  // namespace
}  // namespace cirro
