#include "cirro/dispatch/make_handler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cirro/json.h"
#include "support/handler_calls.h"

namespace cirro {

// Not in the unnamed namespace: clang would warn of the to_json.
struct Order {
  std::string id;
  double total = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Order, id, total)

namespace {

using test::CallAsync;
using test::CallBatch;
using test::CallSingle;
using test::EventWith;
using Kind = Outcome::Kind;

Event OrderEvent() { return EventWith(JsonText(R"({"id":"a","total":3})")); }

Event ReplyOf(const Outcome& outcome) {
  return std::get<Event>(outcome.replies().at(0));
}

TEST(MakeHandler, NothingReturnedIsDone) {
  const auto handler = MakeHandler([](const Event&) {});

  EXPECT_EQ(handler->form(), Handler::Form::kSingle);
  EXPECT_EQ(CallSingle(*handler, EventWith()).kind(), Kind::kDone);
}

TEST(MakeHandler, GivesTheEventByReferenceWithoutACopy) {
  const Event* seen = nullptr;
  const auto handler = MakeHandler([&seen](const Event& e) { seen = &e; });
  const Event event = EventWith();

  CallSingle(*handler, event);

  EXPECT_EQ(seen, &event);
}

TEST(MakeHandler, GivesTheEventByValueAndByRvalueReference) {
  const auto by_value = MakeHandler([](Event e) { return e; });
  const auto by_rvalue = MakeHandler([](Event&& e) { return std::move(e); });

  EXPECT_EQ(ReplyOf(CallSingle(*by_value, EventWith())), EventWith());
  EXPECT_EQ(ReplyOf(CallSingle(*by_rvalue, EventWith())), EventWith());
}

TEST(MakeHandler, GivesTheContextWhereverItStands) {
  const auto last = MakeHandler([](const Event&, Context& context) {
    return Reject(std::string(context.function()));
  });
  const auto first = MakeHandler([](const Context& context, const Event&) {
    return Reject(std::string(context.inlet()));
  });

  EXPECT_EQ(CallSingle(*last, EventWith()).reason(), "f");
  EXPECT_EQ(CallSingle(*first, EventWith()).reason(), "test");
}

TEST(MakeHandler, GivesTypedData) {
  const auto alone = MakeHandler([](const Order& o) { return Reject(o.id); });
  const auto by_value = MakeHandler([](Order o) { return Reject(o.id); });
  const auto all = MakeHandler(
      [](const Event& event, const Order& order, const Context& context) {
        return Reject(std::string(event.id()) + order.id +
                      std::string(context.function()));
      });

  EXPECT_EQ(CallSingle(*alone, OrderEvent()).reason(), "a");
  EXPECT_EQ(CallSingle(*by_value, OrderEvent()).reason(), "a");
  EXPECT_EQ(CallSingle(*all, OrderEvent()).reason(), "1af");
}

TEST(MakeHandler, GivesJsonItself) {
  const auto handler = MakeHandler(
      [](const nlohmann::json& data) { return Reject(data.dump()); });

  EXPECT_EQ(CallSingle(*handler, OrderEvent()).reason(),
            R"({"id":"a","total":3})");
}

TEST(MakeHandler, RejectsDataThatIsNoSuchTypeWithoutACall) {
  bool called = false;
  const auto handler = MakeHandler([&called](const Order&) { called = true; });

  const Outcome none = CallSingle(*handler, EventWith());
  const Outcome text = CallSingle(*handler, EventWith(Text("hello")));
  const Outcome other = CallSingle(*handler, EventWith(JsonText("[1]")));
  const Outcome partial =
      CallSingle(*handler, EventWith(JsonText(R"({"id":"a"})")));

  EXPECT_FALSE(called);
  for (const Outcome* outcome : {&none, &text, &other, &partial}) {
    EXPECT_EQ(outcome->kind(), Kind::kReject);
  }
  EXPECT_EQ(none.reason(), "the event has no data");
  EXPECT_EQ(text.reason(),
            "the data is not JSON (datacontenttype 'text/plain')");
  EXPECT_EQ(partial.reason(), "the data does not fit: key 'total' not found");
}

TEST(MakeHandler, TakesEachKindOfReply) {
  const EventDraft draft{.type = "t", .source = "/s"};
  const auto event =
      MakeHandler([](const Event& e) -> const Event& { return e; });
  const auto events = MakeHandler([](const Event& e) {
    return std::vector<Event>{e, e};
  });
  const auto one = MakeHandler([draft](const Event&) { return draft; });
  const auto drafts = MakeHandler([draft](const Event&) {
    return std::vector<EventDraft>{draft, draft, draft};
  });
  const auto mixed = MakeHandler([draft](const Event& e) {
    return std::vector<ReplyItem>{e, draft};
  });
  const auto none =
      MakeHandler([](const Event&) { return std::vector<Event>{}; });

  EXPECT_EQ(CallSingle(*event, EventWith()).replies().size(), 1U);
  EXPECT_EQ(CallSingle(*events, EventWith()).replies().size(), 2U);
  EXPECT_EQ(CallSingle(*one, EventWith()).replies().size(), 1U);
  EXPECT_EQ(CallSingle(*drafts, EventWith()).replies().size(), 3U);
  EXPECT_EQ(CallSingle(*mixed, EventWith()).replies().size(), 2U);
  EXPECT_EQ(CallSingle(*none, EventWith()).kind(), Kind::kDone);
}

TEST(MakeHandler, TakesWhatABuilderBuilt) {
  const auto good = MakeHandler(
      [](const Event& e) { return EventBuilder(e).subject("s").Build(); });
  const auto bad = MakeHandler(
      [](const Event& e) { return EventBuilder(e).time("noon").Build(); });

  EXPECT_EQ(ReplyOf(CallSingle(*good, EventWith())).subject(), "s");
  EXPECT_EQ(CallSingle(*bad, EventWith()).kind(), Kind::kRetry);
}

TEST(MakeHandler, GivesABatchWhole) {
  const std::vector<Event> events{EventWith(), EventWith(), EventWith()};
  const auto outcomes = MakeHandler([](std::span<const Event> batch) {
    std::vector<Outcome> answers(batch.size());
    answers[1] = Reject("second");
    return answers;
  });
  const auto nothing = MakeHandler([](std::span<const Event>, Context&) {});

  EXPECT_EQ(outcomes->form(), Handler::Form::kBatch);
  EXPECT_EQ(CallBatch(*outcomes, events).at(1).reason(), "second");
  EXPECT_EQ(CallBatch(*nothing, events).size(), 3U);
  EXPECT_EQ(CallBatch(*nothing, events).at(2).kind(), Kind::kDone);
}

TEST(MakeHandler, HandsTheCompletionOver) {
  const auto now = MakeHandler(
      [](const Event&, Completion done) { done.Finish(Reject("now")); });
  std::optional<Completion> kept;
  const auto later =
      MakeHandler([&kept](const Event&, Context&, Completion done) {
        kept.emplace(std::move(done));
      });

  EXPECT_EQ(now->form(), Handler::Form::kAsync);
  EXPECT_EQ(CallAsync(*now, EventWith()).value().reason(), "now");
  EXPECT_FALSE(CallAsync(*later, EventWith()).has_value());
  kept->Finish(Done());
}

TEST(MakeHandler, FinishesATypedAsynchronousCallWhoseDataDoesNotFit) {
  const auto handler = MakeHandler([](const Order& order, Completion done) {
    done.Finish(Reject(order.id));
  });

  EXPECT_EQ(CallAsync(*handler, OrderEvent()).value().reason(), "a");
  EXPECT_EQ(CallAsync(*handler, EventWith()).value().reason(),
            "the event has no data");
}

Outcome ByPointer(const Event&) noexcept { return Reject("pointer"); }

struct Functor {
  Outcome operator()(const Event&, const Context&) const {
    return Reject("functor");
  }
};

struct Overloaded {
  Outcome operator()(const Event&) const { return Reject("event"); }
  Outcome operator()(int) const { return Reject("int"); }
};

TEST(MakeHandler, TakesEachKindOfCallable) {
  EXPECT_EQ(CallSingle(*MakeHandler(ByPointer), EventWith()).reason(),
            "pointer");
  EXPECT_EQ(CallSingle(*MakeHandler(&ByPointer), EventWith()).reason(),
            "pointer");
  EXPECT_EQ(CallSingle(*MakeHandler(Functor()), EventWith()).reason(),
            "functor");
  EXPECT_EQ(CallSingle(*MakeHandler(Overloaded()), EventWith()).reason(),
            "event");
  EXPECT_EQ(CallSingle(*MakeHandler(std::function<Outcome(Event)>(ByPointer)),
                       EventWith())
                .reason(),
            "pointer");
}

TEST(MakeHandler, TakesGenericLambdas) {
  const auto one = MakeHandler(
      [](const auto& event) { return Reject(std::string(event.type())); });
  const auto two = MakeHandler([](auto event, auto& context) {
    return Reject(std::string(event.id()) + std::string(context.inlet()));
  });
  const auto moved =
      MakeHandler([text = std::make_unique<std::string>("captured")](
                      const auto&) { return Reject(*text); });

  EXPECT_EQ(CallSingle(*one, EventWith()).reason(), "com.example.t");
  EXPECT_EQ(CallSingle(*two, EventWith()).reason(), "1test");
  EXPECT_EQ(CallSingle(*moved, EventWith()).reason(), "captured");
}

}  // namespace
}  // namespace cirro
