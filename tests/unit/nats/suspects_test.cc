#include "bindings/nats/src/suspects.h"

#include <gtest/gtest.h>

namespace cirro::internal::nats {
namespace {

TEST(Suspects, TheFirstDeliveryIsNone) {
  const Suspects suspects(10);

  EXPECT_FALSE(suspects.IsSuspect(7, 1));
}

TEST(Suspects, WhatComesAgainWithoutAWordIsOne) {
  const Suspects suspects(10);

  EXPECT_TRUE(suspects.IsSuspect(7, 2));
}

TEST(Suspects, WhatWasGivenBackIsNone) {
  Suspects suspects(10);

  suspects.Excuse(7, 1);

  EXPECT_FALSE(suspects.IsSuspect(7, 2));
  EXPECT_TRUE(suspects.IsSuspect(8, 2));
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

  suspects.Excuse(1, 1);
  suspects.Excuse(2, 1);
  suspects.Excuse(3, 1);

  EXPECT_TRUE(suspects.IsSuspect(1, 2));
  EXPECT_FALSE(suspects.IsSuspect(2, 2));
  EXPECT_FALSE(suspects.IsSuspect(3, 2));
}

TEST(Suspects, OneThatIsForgottenAndExcusedAgainIsKept) {
  Suspects suspects(2);

  suspects.Excuse(1, 1);
  suspects.Forget(1);
  suspects.Excuse(1, 1);
  suspects.Excuse(2, 1);

  EXPECT_FALSE(suspects.IsSuspect(1, 2));
}

TEST(Suspects, AClearedOneKnowsNothing) {
  Suspects suspects(2);
  suspects.Excuse(1, 1);

  suspects.Clear();

  EXPECT_TRUE(suspects.IsSuspect(1, 2));
}

}  // namespace
}  // namespace cirro::internal::nats
