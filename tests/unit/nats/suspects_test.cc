#include "bindings/nats/src/suspects.h"

#include <gtest/gtest.h>

namespace cirro::internal::nats {
namespace {

TEST(Suspects, TheFirstDeliveryIsNone) {
  const Suspects suspects(10);

  EXPECT_FALSE(suspects.IsSuspect(7, 1));
}

// A process that begins has not heard what the one before gave back.
TEST(Suspects, WhatComesAgainOnceIsNoneAsLongAsNothingIsKnownOfIt) {
  const Suspects suspects(10);

  EXPECT_FALSE(suspects.IsSuspect(7, 2));
}

TEST(Suspects, WhereThereAreSomeWhatComesAgainOnceIsOneToo) {
  Suspects suspects(10);
  suspects.Excuse(8, 1);

  EXPECT_FALSE(suspects.IsSuspect(7, 1, true));
  EXPECT_TRUE(suspects.IsSuspect(7, 2, true));
  EXPECT_FALSE(suspects.IsSuspect(8, 2, true));
}

TEST(Suspects, WhatComesAgainTwiceWithoutAWordIsOne) {
  const Suspects suspects(10);

  EXPECT_TRUE(suspects.IsSuspect(7, 3));
}

TEST(Suspects, WhatWasGivenBackIsNone) {
  Suspects suspects(10);

  suspects.Excuse(7, 1);

  EXPECT_FALSE(suspects.IsSuspect(7, 2));
}

TEST(Suspects, WhatDiedAfterItWasGivenBackIsOne) {
  Suspects suspects(10);

  suspects.Excuse(7, 1);

  EXPECT_TRUE(suspects.IsSuspect(7, 3));
}

TEST(Suspects, AnOlderExcuseTakesNothingBack) {
  Suspects suspects(10);

  suspects.Excuse(7, 2);
  suspects.Excuse(7, 1);

  EXPECT_FALSE(suspects.IsSuspect(7, 3));
}

TEST(Suspects, KnowsOnlySoMany) {
  Suspects suspects(2);

  suspects.Excuse(1, 2);
  suspects.Excuse(2, 2);
  suspects.Excuse(3, 2);

  EXPECT_TRUE(suspects.IsSuspect(1, 3));
  EXPECT_FALSE(suspects.IsSuspect(2, 3));
  EXPECT_FALSE(suspects.IsSuspect(3, 3));
}

TEST(Suspects, OneThatIsForgottenAndExcusedAgainIsKept) {
  Suspects suspects(2);

  suspects.Excuse(1, 2);
  suspects.Forget(1);
  suspects.Excuse(1, 2);
  suspects.Excuse(2, 2);

  EXPECT_FALSE(suspects.IsSuspect(1, 3));
}

TEST(Suspects, AClearedOneKnowsNothing) {
  Suspects suspects(2);
  suspects.Excuse(1, 2);

  suspects.Clear();

  EXPECT_TRUE(suspects.IsSuspect(1, 3));
}

}  // namespace
}  // namespace cirro::internal::nats
