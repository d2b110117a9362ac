#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "cirro/nats/codec.h"
#include "support/event_fixtures.h"

namespace cirro {
namespace {

// What comes back of an event; itself, if all is well.
Event ThereAndBack(ContentMode mode, const Event& event) {
  MessageHeaders headers;
  std::string buffer;
  const std::string_view payload = EncodeNats(mode, event, headers, buffer);
  std::vector<NatsHeader> views;
  for (const auto& [name, value] : headers) views.push_back({name, value});
  const DecodeOptions options = test::FixtureOptions();
  NatsDecoder decoder(options);

  NatsContent content = decoder.Decode(views, payload);

  if (const auto* const bad = std::get_if<Malformed>(&content.content)) {
    ADD_FAILURE() << bad->error.message;
    return event;
  }
  EXPECT_EQ(content.forgiven, Leniency::kNone);
  return std::get<Event>(std::move(content.content));
}

TEST(NatsRoundTrip, GivesFixturesBackInBothModes) {
  for (const ContentMode mode :
       {ContentMode::kBinary, ContentMode::kStructured}) {
    for (const Event& event : {test::MinEvent(), test::FullEvent()}) {
      EXPECT_EQ(ThereAndBack(mode, event), event);
    }
  }
}

TEST(NatsRoundTrip, GivesAnyEventBackInBothModes) {
  test::EventGenerator generator(20'261'121);
  for (int i = 0; i < 2'000; ++i) {
    const Event event = generator.Next();
    EXPECT_EQ(ThereAndBack(ContentMode::kStructured, event), event);
    EXPECT_EQ(ThereAndBack(ContentMode::kBinary, event), event);
  }
}

}  // namespace
}  // namespace cirro
