#include "bindings/nats/src/deliveries.h"

#include <gtest/gtest.h>

#include "bindings/nats/src/ack_reply.h"

namespace cirro::internal::nats {
namespace {

AckReply Facts(std::uint64_t sequence, std::int64_t stored_at = 1) {
  return {.delivered = 1, .sequence = sequence, .stored_at = stored_at};
}

TEST(AckReply, SaysWhatTheServerSays) {
  const auto facts =
      ParseAckReply("$JS.ACK.orders.worker.3.41.57.1700000000000000001.8");

  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->delivered, 3U);
  EXPECT_EQ(facts->sequence, 41U);
  EXPECT_EQ(facts->stored_at, 1'700'000'000'000'000'001);
  EXPECT_EQ(facts->pending, 8U);
}

TEST(AckReply, HasTwoFormsWithADomain) {
  for (const char* const reply :
       {"$JS.ACK.hub.ACCHASH.orders.worker.3.41.57.17.8",
        "$JS.ACK._.ACCHASH.orders.worker.3.41.57.17.8.token"}) {
    const auto facts = ParseAckReply(reply);

    ASSERT_TRUE(facts) << reply;
    EXPECT_EQ(facts->delivered, 3U);
    EXPECT_EQ(facts->sequence, 41U);
    EXPECT_EQ(facts->pending, 8U);
  }
}

TEST(AckReply, OtherSubjectsAreNone) {
  for (const char* const reply :
       {"", "_INBOX.abc.1", "$JS.ACK.", "$JS.ACK.orders.worker.3.41.57.17",
        "$JS.ACK.orders.worker.0.41.57.17.8",
        "$JS.ACK.orders.worker.x.41.57.17.8",
        "$JS.ACK.orders.worker.3.41.57.17.8x",
        "$JS.ACK.orders.worker.-3.41.57.17.8",
        "$JS.ACK.a.orders.worker.3.41.57.17.8",
        "$JS.ACK.orders.worker.3.99999999999999999999.57.17.8"}) {
    EXPECT_FALSE(ParseAckReply(reply)) << reply;
  }
}

TEST(Deliveries, AreFoundByTheirToken) {
  Deliveries deliveries;
  const DeliveryToken first = deliveries.Add("a", Facts(1), 10, false);
  const DeliveryToken second = deliveries.Add("b", Facts(2), 20, true);

  ASSERT_NE(deliveries.Find(first), nullptr);
  EXPECT_EQ(deliveries.Find(first)->reply, "a");
  EXPECT_EQ(deliveries.Find(second)->reply, "b");
  EXPECT_EQ(deliveries.count(), 2U);
  EXPECT_EQ(deliveries.bytes(), 30U);
}

TEST(Deliveries, ATokenFindsNothingTwice) {
  Deliveries deliveries;
  const DeliveryToken first = deliveries.Add("a", Facts(1), 10, false);
  deliveries.Remove(*deliveries.Find(first), true);

  const DeliveryToken again = deliveries.Add("b", Facts(1), 10, false);

  EXPECT_EQ(deliveries.Find(first), nullptr);
  EXPECT_NE(deliveries.Find(again), nullptr);
  EXPECT_EQ(deliveries.count(), 1U);
  EXPECT_EQ(deliveries.bytes(), 10U);
}

TEST(Deliveries, KnowOneThatIsOpenAlready) {
  Deliveries deliveries;
  const DeliveryToken token = deliveries.Add("a", Facts(1), 10, false);

  EXPECT_EQ(deliveries.FindSame(Facts(1)), deliveries.Find(token));
  EXPECT_EQ(deliveries.FindSame(Facts(2)), nullptr);
}

TEST(Deliveries, RememberWhatWasAcknowledgedAndNothingElse) {
  Deliveries deliveries;
  const DeliveryToken done = deliveries.Add("a", Facts(1), 10, false);
  const DeliveryToken back = deliveries.Add("b", Facts(2), 10, false);

  deliveries.Remove(*deliveries.Find(done), true);
  deliveries.Remove(*deliveries.Find(back), false);

  EXPECT_TRUE(deliveries.WasAcknowledged(Facts(1)));
  EXPECT_FALSE(deliveries.WasAcknowledged(Facts(2)));
}

TEST(Deliveries, TheSameSequenceOfANewStreamIsAnotherMessage) {
  Deliveries deliveries;
  const DeliveryToken done = deliveries.Add("a", Facts(1, 100), 10, false);
  deliveries.Remove(*deliveries.Find(done), true);
  static_cast<void>(deliveries.Add("b", Facts(2, 100), 10, false));

  EXPECT_FALSE(deliveries.WasAcknowledged(Facts(1, 200)));
  EXPECT_EQ(deliveries.FindSame(Facts(2, 200)), nullptr);
}

TEST(Deliveries, OnceClearedNoTokenCounts) {
  Deliveries deliveries;
  const DeliveryToken open = deliveries.Add("a", Facts(1), 10, false);
  const DeliveryToken done = deliveries.Add("b", Facts(2), 10, false);
  deliveries.Remove(*deliveries.Find(done), true);

  deliveries.Clear();

  EXPECT_EQ(deliveries.Find(open), nullptr);
  EXPECT_FALSE(deliveries.WasAcknowledged(Facts(2)));
  EXPECT_EQ(deliveries.count(), 0U);
  EXPECT_EQ(deliveries.bytes(), 0U);
}

}  // namespace
}  // namespace cirro::internal::nats
