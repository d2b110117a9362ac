#include "cirro/cloudevents/event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event_assembler.h"
#include "cirro/cloudevents/event_builder.h"
#include "cirro/cloudevents/json_format.h"
#include "support/event_fixtures.h"
#include "support/rules.h"

namespace cirro {
namespace {

using test::BrokenRules;
using test::FullEvent;
using test::MinEvent;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Event, GivesWhatItWasMadeFrom) {
  const Event event = FullEvent();
  EXPECT_EQ(event.specversion(), "1.0");
  EXPECT_EQ(event.id(), "A234-1234-1234");
  EXPECT_EQ(event.source(), "https://example.com/orders?shop=7#till");
  EXPECT_EQ(event.type(), "com.example.order.placed");
  EXPECT_EQ(event.subject(), "orders/1009");
  EXPECT_EQ(event.dataschema(), "https://example.com/schemas/order.json#v2");
  EXPECT_EQ(event.datacontenttype(), "application/json");
  EXPECT_EQ(event.time_text(), "2018-04-05T17:31:00.123456789+02:00");
  EXPECT_EQ(event.time()->offset_minutes, 120);
  EXPECT_EQ(event.extension("extint"), "-2147483647");
  EXPECT_EQ(event.data_kind(), DataKind::kJson);
  EXPECT_EQ(event.data_bytes().size(), event.data().size());
}

TEST(Event, LacksWhatItWasNotGiven) {
  const Event event = MinEvent();
  EXPECT_EQ(event.subject(), "");
  EXPECT_EQ(event.time(), std::nullopt);
  EXPECT_EQ(event.extension("subject"), std::nullopt);
  EXPECT_EQ(event.extension("id"), std::nullopt);
  EXPECT_EQ(event.attribute("subject"), std::nullopt);
  EXPECT_EQ(event.attribute("nothing"), std::nullopt);
  EXPECT_FALSE(event.has_data());
  EXPECT_EQ(event.data_kind(), DataKind::kNone);
  EXPECT_EQ(event.data(), "");
}

TEST(Event, ListsItsAttributesInOrder) {
  const Event event = FullEvent();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < event.attribute_count(); ++i) {
    const Attribute attribute = event.attribute_at(i);
    EXPECT_EQ(event.attribute(attribute.name)->text, attribute.text);
    names.emplace_back(attribute.name);
  }
  EXPECT_THAT(names, ElementsAre("specversion", "id", "source", "type",
                                 "datacontenttype", "dataschema", "subject",
                                 "time", "extbool", "extint", "extstring",
                                 "extbinary", "exturi", "extref", "exttime"));
  EXPECT_EQ(MinEvent().attribute_count(), 4U);
  EXPECT_EQ(MinEvent().attribute_at(3).name, "type");
}

TEST(Event, IsCopiedAndMovedAsAValue) {
  Event event = FullEvent();
  const Event copy = event;
  EXPECT_EQ(copy.id().data(), event.id().data());

  const Event moved = std::move(event);
  EXPECT_EQ(moved, copy);
  event = MinEvent();
  EXPECT_EQ(event.id(), "min-1");
  Event& alias = event;
  event = alias;
  EXPECT_EQ(event.id(), "min-1");
}

TEST(Event, ComparesAttributesInAnyOrderAndData) {
  const auto with = [](std::vector<Extension> extensions) {
    EventBuilder builder(MinEvent());
    for (auto& extension : extensions) builder.extension(std::move(extension));
    return test::MustBuild(builder);
  };
  EXPECT_EQ(with({{"a", "1"}, {"b", "2"}}), with({{"b", "2"}, {"a", "1"}}));
  EXPECT_NE(with({{"a", "1"}}), with({{"a", "2"}}));
  EXPECT_NE(with({{"a", "1"}}), with({{"b", "1"}}));
  EXPECT_NE(with({{"a", "1"}}), with({{"a", 1}}));
  EXPECT_NE(with({{"a", "1"}}), with({}));
  const auto holding = [](Data data) {
    return test::MustBuild(EventBuilder(MinEvent()).data(std::move(data)));
  };
  EXPECT_EQ(holding(Text("a")), holding(Text("a")));
  EXPECT_NE(holding(Text("a")), holding(Text("b")));
  EXPECT_NE(
      holding(Text("")),
      test::MustBuild(EventBuilder(MinEvent()).datacontenttype("text/plain")));
}

TEST(Event, CountsAllItsMemory) {
  const Event small = MinEvent();
  const auto large = EventBuilder(small)
                         .data(Binary(std::string(10'000, 'x')))
                         .extension({"a", std::string(1'000, 'y')})
                         .Build();
  ASSERT_TRUE(large);
  EXPECT_GT(small.memory_size(), small.id().size() + small.source().size());
  EXPECT_LT(small.memory_size(), 256U);
  EXPECT_GT(large->memory_size(), 11'000U);
  EXPECT_LT(large->memory_size(), 11'400U);
}

TEST(Event, IsReadCheckedAndReleasedByManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 2'000;
  for (int round = 0; round < kRounds / 100; ++round) {
    auto event = EventBuilder(FullEvent())
                     .data({"[1,2,3]", DataKind::kNone, "application/json"})
                     .Build();
    ASSERT_TRUE(event);
    std::atomic<int> json = 0;
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([copy = *event, &json] {
          for (int k = 0; k < 100; ++k) {
            const Event mine = copy;
            if (mine.data_kind() == DataKind::kJson) ++json;
          }
        });
      }
    }
    EXPECT_EQ(json, kThreads * 100);
  }
}

TEST(DataKind, FollowsFromTypeAndBytes) {
  const auto kind = [](Data data) {
    return test::MustBuild(EventBuilder(MinEvent()).data(std::move(data)))
        .data_kind();
  };
  constexpr DataKind kUnknown = DataKind::kNone;
  EXPECT_EQ(kind({"{}", kUnknown, "application/json"}), DataKind::kJson);
  EXPECT_EQ(kind({"{", kUnknown, "application/json"}), DataKind::kBinary);
  EXPECT_EQ(kind({"{}", DataKind::kBinary, "a/b+json"}), DataKind::kJson);
  EXPECT_EQ(kind({"{}", DataKind::kText, "a/b+json"}), DataKind::kJson);
  EXPECT_EQ(kind({"text", kUnknown, "text/plain"}), DataKind::kText);
  EXPECT_EQ(kind({"\xFF", kUnknown, "text/plain"}), DataKind::kBinary);
  EXPECT_EQ(kind({"text", kUnknown, "image/png"}), DataKind::kBinary);
  EXPECT_EQ(kind({"text", DataKind::kText, "image/png"}), DataKind::kText);
  EXPECT_EQ(kind({"text", kUnknown, {}}), DataKind::kBinary);
  EXPECT_EQ(kind({"{}", DataKind::kJson, {}}), DataKind::kJson);
  EXPECT_EQ(kind({"{}", DataKind::kJson, "text/plain"}), DataKind::kText);
}

TEST(EventBuilder, ChangesACopy) {
  const Event before = FullEvent();
  const auto after = EventBuilder(before)
                         .id("2")
                         .subject("")
                         .RemoveExtension("extint")
                         .RemoveExtension("nothing")
                         .extension({"extbool", false})
                         .Build();
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->id(), "2");
  EXPECT_EQ(after->attribute("subject"), std::nullopt);
  EXPECT_EQ(after->extension("extint"), std::nullopt);
  EXPECT_EQ(after->extension("extbool"), "false");
  EXPECT_EQ(after->data(), before.data());
  EXPECT_EQ(before, FullEvent());
}

TEST(EventBuilder, CopiesAnyEventUnchanged) {
  test::EventGenerator generator(7);
  for (int i = 0; i < 1'000; ++i) {
    const Event event = generator.Next();
    const auto copy = EventBuilder(event).Build();
    ASSERT_TRUE(copy) << copy.error().message;
    ASSERT_EQ(*copy, event);
    ASSERT_EQ(copy->data_kind(), event.data_kind());
  }
}

TEST(EventBuilder, DataBringsItsTypeAndTakesItAway) {
  EventBuilder builder(FullEvent());
  EXPECT_EQ(builder.data(Text("a")).Build()->datacontenttype(), "text/plain");
  EXPECT_EQ(builder.RemoveData().Build()->datacontenttype(), "");
  EXPECT_EQ(builder.datacontenttype("text/csv")
                .data(Text("a"))
                .Build()
                ->datacontenttype(),
            "text/csv");
  EXPECT_EQ(builder.data(JsonText("1")).Build()->data_kind(), DataKind::kText);
}

TEST(EventBuilder, StaysUsableAfterAFailure) {
  EventBuilder builder;
  builder.id("1").source("/s");
  EXPECT_THAT(BrokenRules(builder.Build()), ElementsAre(16));
  EXPECT_TRUE(builder.type("t").Build());
  EXPECT_TRUE(builder.Build());
}

TEST(EventBuilder, RefusesATimeThatHasNoText) {
  EXPECT_THAT(BrokenRules(EventBuilder(MinEvent())
                              .time(Timestamp{300'000'000'000, 0, 0})
                              .Build()),
              ElementsAre(21));
}

TEST(EventAssembler, IsUsedAgainAndAgain) {
  const DecodeOptions options;
  EventAssembler assembler(options);
  for (int round = 0; round < 3; ++round) {
    assembler.AddAttribute("specversion", "1.0");
    assembler.AddAttribute("id", "1");
    assembler.AddAttribute("source", "/s");
    assembler.AddAttribute("type", "t");
    const std::string text = std::to_string(round);
    assembler.AddAttribute("round", text);
    EXPECT_EQ(assembler.Build()->extension("round"), text);
    EXPECT_THAT(BrokenRules(assembler.Build()), ElementsAre(13, 14, 15, 16));
  }
}

TEST(EventAssembler, FailsWithWhatItsDecoderReports) {
  const DecodeOptions options;
  EventAssembler assembler(options);
  assembler.AddAttribute("specversion", "1.0");
  assembler.AddAttribute("id", "1");
  assembler.AddAttribute("source", "/s");
  assembler.AddAttribute("type", "t");
  assembler.Report(38, "a header is not UTF-8");
  const auto event = assembler.Build();
  EXPECT_THAT(BrokenRules(event), ElementsAre(38));
  EXPECT_EQ(event.error().message, "rule 38: a header is not UTF-8");
}

TEST(EventAssembler, AddCoreTakesCoreAttributesAlone) {
  const DecodeOptions options;
  EventAssembler assembler(options);
  for (const auto& [name, text] : std::map<std::string_view, std::string_view>{
           {"specversion", "1.0"},
           {"id", "1"},
           {"source", "/s"},
           {"type", "t"},
           {"datacontenttype", "text/plain"},
           {"dataschema", "urn:s"},
           {"subject", "u"},
           {"time", "2026-01-01T00:00:00Z"}}) {
    EXPECT_TRUE(assembler.AddCore(name, text)) << name;
  }
  for (const std::string_view other :
       {"", "ID", "Type", "ids", "tame", "sauce", "subjects", "data", "name"}) {
    EXPECT_FALSE(assembler.AddCore(other, "1")) << other;
  }
  const auto event = assembler.Build();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->attribute_count(), 8U);
  EXPECT_EQ(event->attribute("time")->text, "2026-01-01T00:00:00Z");
}

TEST(EventAssembler, AddCoreRefusesASecondOneAndWhatIsOverALimit) {
  DecodeOptions options;
  options.max_attribute_value_bytes = 10;
  EventAssembler assembler(options);
  EXPECT_TRUE(assembler.AddCore("id", "1"));
  EXPECT_TRUE(assembler.AddCore("id", "2"));
  EXPECT_THAT(BrokenRules(assembler.Build()), ElementsAre(3, 14, 15, 16));

  EXPECT_TRUE(assembler.AddCore("id", "0123456789a"));
  EXPECT_EQ(assembler.Build().error().code, ErrorCode::kTooLarge);
}

TEST(EventAssembler, RefusesWhatIsOverALimit) {
  DecodeOptions options;
  options.max_attributes = 5;
  options.max_attribute_name_bytes = 12;
  options.max_attribute_value_bytes = 10;
  const auto message = [&options](std::vector<Extension> extensions) {
    EventAssembler assembler(options);
    assembler.AddAttribute("specversion", "1.0");
    assembler.AddAttribute("id", "1");
    assembler.AddAttribute("source", "/s");
    assembler.AddAttribute("type", "t");
    for (const auto& e : extensions) assembler.AddAttribute(e.name, e.text);
    const auto event = assembler.Build();
    if (event) return std::string();
    EXPECT_EQ(event.error().code, ErrorCode::kTooLarge);
    return event.error().message;
  };
  EXPECT_EQ(message({{"name", "0123456789"}}), "");
  EXPECT_THAT(message({{"a", "1"}, {"b", "2"}}), HasSubstr("max_attributes"));
  EXPECT_THAT(message({{"name", "0123456789a"}}),
              HasSubstr("max_attribute_value_bytes = 10"));
  EXPECT_THAT(message({{"abcdefghijklm", "1"}}),
              HasSubstr("max_attribute_name_bytes = 12"));
}

TEST(EventAssembler, GrowsBeyondItsFirstMemory) {
  DecodeOptions options;
  options.max_attributes = 1'000;
  EventAssembler assembler(options);
  for (int round = 0; round < 2; ++round) {
    assembler.AddAttribute("specversion", "1.0");
    assembler.AddAttribute("id", "1");
    assembler.AddAttribute("source", "/s");
    assembler.AddAttribute("type", "t");
    for (int i = 0; i < 500; ++i) {
      const std::string name = "name" + std::to_string(i);
      char* const kept = assembler.Scratch(name.size());
      name.copy(kept, name.size());
      assembler.AddAttribute({kept, name.size()}, "v");
    }
    const auto event = assembler.Build();
    ASSERT_TRUE(event) << event.error().message;
    EXPECT_EQ(event->attribute_count(), 504U);
    EXPECT_EQ(event->extension("name499"), "v");
  }
}

}  // namespace
}  // namespace cirro
