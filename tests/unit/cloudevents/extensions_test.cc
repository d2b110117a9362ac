// CloudEvents' documented extensions that have a typed view, and W3C Trace
// Context's traceparent.

#include "cirro/cloudevents/extensions.h"

#include <gtest/gtest.h>

#include <string>

#include "support/event_fixtures.h"

namespace cirro {
namespace {

constexpr const char* kParent =
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

Event With(const Extension& extension) {
  return test::MustBuild(EventBuilder(test::MinEvent()).extension(extension));
}

TEST(TraceParent, IsTakenApart) {
  const auto parent = ParseTraceParent(kParent);
  ASSERT_TRUE(parent);
  EXPECT_EQ(parent->trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(parent->parent_id, "00f067aa0ba902b7");
  EXPECT_EQ(parent->version, 0);
  EXPECT_TRUE(parent->sampled());
}

TEST(TraceParent, MayBeOfALaterVersion) {
  std::string text = kParent;
  text[1] = '1';
  EXPECT_TRUE(ParseTraceParent(text));
  EXPECT_TRUE(ParseTraceParent(text + "-more"));
  EXPECT_FALSE(ParseTraceParent(text + "more"));
  EXPECT_FALSE(ParseTraceParent(std::string(kParent) + "-more"));
}

TEST(TraceParent, IsRefusedWhenMalformed) {
  for (const char* const text :
       {"", "00", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
        "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}) {
    EXPECT_FALSE(ParseTraceParent(text)) << text;
  }
}

TEST(DistributedTracing, GoesIntoAnEventAndComesBack) {
  EventBuilder builder(test::MinEvent());
  const Event event = test::MustBuild(
      DistributedTracing{kParent, "rojo=00f067aa0ba902b7"}.AddTo(builder));

  const auto tracing = DistributedTracing::From(event);
  ASSERT_TRUE(tracing);
  EXPECT_EQ(tracing->traceparent, kParent);
  EXPECT_EQ(tracing->tracestate, "rojo=00f067aa0ba902b7");

  const Event without =
      test::MustBuild(DistributedTracing{kParent}.AddTo(builder));
  EXPECT_EQ(without.extension("tracestate"), std::nullopt);
}

TEST(DistributedTracing, NeedsAValidTraceparent) {
  EXPECT_FALSE(DistributedTracing::From(test::MinEvent()));
  EXPECT_FALSE(DistributedTracing::From(With({"tracestate", "a=b"})));
  EXPECT_FALSE(DistributedTracing::From(With({"traceparent", "00-1-2-3"})));
}

TEST(Partitioning, GoesIntoAnEventAndComesBack) {
  EventBuilder builder(test::MinEvent());
  const Event event =
      test::MustBuild(Partitioning{"customer-7"}.AddTo(builder));
  EXPECT_EQ(Partitioning::From(event)->partitionkey, "customer-7");
}

TEST(Partitioning, NeedsANonEmptyKey) {
  EXPECT_FALSE(Partitioning::From(test::MinEvent()));
  EXPECT_FALSE(Partitioning::From(With({"partitionkey", ""})));
}

TEST(SampledRate, GoesIntoAnEventAndComesBack) {
  EventBuilder builder(test::MinEvent());
  const Event event = test::MustBuild(SampledRate{30}.AddTo(builder));
  EXPECT_EQ(event.attribute("sampledrate")->type, AttributeType::kInteger);
  EXPECT_EQ(SampledRate::From(event)->sampledrate, 30);
}

TEST(SampledRate, IsReadFromTextAndGreaterThanZero) {
  EXPECT_EQ(SampledRate::From(With({"sampledrate", "7"}))->sampledrate, 7);
  EXPECT_FALSE(SampledRate::From(test::MinEvent()));
  EXPECT_FALSE(SampledRate::From(With({"sampledrate", 0})));
  EXPECT_FALSE(SampledRate::From(With({"sampledrate", -1})));
  EXPECT_FALSE(SampledRate::From(With({"sampledrate", "many"})));
}

}  // namespace
}  // namespace cirro
