// event -> JSON -> event is the identity, and what is written is always JSON,
// for generated events with every attribute type and hostile text.

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cirro/cloudevents/event_assembler.h"
#include "cirro/cloudevents/json_format.h"
#include "support/event_fixtures.h"

namespace cirro {
namespace {

constexpr int kEvents = 2'000;

TEST(RoundTrip, JsonIsTheIdentity) {
  const DecodeOptions options = test::FixtureOptions();
  test::EventGenerator generator(42);
  for (int i = 0; i < kEvents; ++i) {
    const Event event = generator.Next();
    const std::string json = EncodeJson(event);
    const auto again = DecodeJson(json, options);
    ASSERT_TRUE(again) << again.error().message << '\n' << json;
    ASSERT_EQ(*again, event) << json;
    ASSERT_EQ(EncodeJson(*again), json);
  }
}

// Data of zero bytes is data: `"data":""` or `"data_base64":""`.
TEST(RoundTrip, JsonTellsEmptyDataFromNone) {
  const DecodeOptions options = test::FixtureOptions();
  test::EventGenerator generator(47);
  std::vector<Event> events;
  for (int i = 0; i < kEvents; ++i) {
    const Event event = generator.NextWithEmptyData();
    const std::string json = EncodeJson(event);
    const auto again = DecodeJson(json, options);
    ASSERT_TRUE(again) << again.error().message << '\n' << json;
    ASSERT_TRUE(again->has_data()) << json;
    ASSERT_EQ(again->data(), "") << json;
    ASSERT_EQ(again->data_kind(), event.data_kind()) << json;
    ASSERT_EQ(*again, event) << json;
    const Event none =
        test::MustBuild(EventBuilder(event).RemoveData().datacontenttype(
            event.datacontenttype()));
    ASSERT_NE(event, none);
    const auto still_none = DecodeJson(EncodeJson(none), options);
    ASSERT_TRUE(still_none) << still_none.error().message;
    ASSERT_EQ(*still_none, none);
    ASSERT_FALSE(still_none->has_data());
    if (i < 100) events.insert(events.end(), {event, none});
  }
  const auto batch = DecodeJsonBatch(EncodeJsonBatch(events), options);
  ASSERT_TRUE(batch) << batch.error().message;
  ASSERT_EQ(batch->size(), events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    ASSERT_EQ(*(*batch)[i], events[i]);
  }
}

TEST(RoundTrip, JsonBatchIsTheIdentity) {
  const DecodeOptions options = test::FixtureOptions();
  test::EventGenerator generator(43);
  for (int round = 0; round < 50; ++round) {
    std::vector<Event> events;
    for (int i = 0; i < round; ++i) events.push_back(generator.Next());
    const auto again = DecodeJsonBatch(EncodeJsonBatch(events), options);
    ASSERT_TRUE(again) << again.error().message;
    ASSERT_EQ(again->size(), events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
      ASSERT_TRUE((*again)[i]) << (*again)[i].error().message;
      ASSERT_EQ(*(*again)[i], events[i]);
    }
  }
}

// A second member of any name, null or not, before the first one or behind it.
TEST(RoundTrip, JsonWithAnyMemberTwiceIsRefused) {
  const DecodeOptions options = test::FixtureOptions();
  test::EventGenerator generator(48);
  for (int i = 0; i < kEvents / 10; ++i) {
    const std::string json = EncodeJson(generator.Next());
    const auto tree = nlohmann::json::parse(json, nullptr, false);
    ASSERT_TRUE(tree.is_object()) << json;
    for (const auto& [name, value] : tree.items()) {
      for (const std::string& text : {std::string("null"), value.dump()}) {
        const std::string member = '"' + name + "\":" + text;
        const std::string inside = json.substr(1, json.size() - 2);
        for (const std::string& twice : {"{" + member + "," + inside + "}",
                                         "{" + inside + "," + member + "}"}) {
          const auto event = DecodeJson(twice, options);
          ASSERT_FALSE(event) << twice;
          const auto& rules = event.error().rules;
          const int rule = name.starts_with("data") && name != "dataschema" &&
                                   name != "datacontenttype"
                               ? 54
                               : 3;
          ASSERT_NE(std::find(rules.begin(), rules.end(), rule), rules.end())
              << event.error().message << twice;
        }
      }
    }
  }
}

TEST(RoundTrip, AnotherParserReadsTheSame) {
  test::EventGenerator generator(44);
  for (int i = 0; i < kEvents / 5; ++i) {
    const Event event = generator.Next();
    const auto tree = nlohmann::json::parse(EncodeJson(event), nullptr, false);
    ASSERT_TRUE(tree.is_object()) << EncodeJson(event);
    ASSERT_EQ(tree["id"], std::string(event.id()));
    ASSERT_EQ(tree.size(),
              event.attribute_count() + (event.has_data() ? 1 : 0));
    if (event.data_kind() == DataKind::kText &&
        !event.datacontenttype().empty()) {
      ASSERT_EQ(tree["data"], std::string(event.data()));
    }
  }
}

TEST(RoundTrip, TheAssemblerIsTheIdentity) {
  const DecodeOptions options = test::FixtureOptions();
  EventAssembler assembler(options);
  test::EventGenerator generator(45);
  for (int i = 0; i < kEvents; ++i) {
    const Event event = generator.Next();
    for (std::size_t k = 0; k < event.attribute_count(); ++k) {
      const Attribute attribute = event.attribute_at(k);
      assembler.AddAttribute(attribute.name, attribute.text);
    }
    if (event.has_data()) assembler.SetData(event.data());
    const auto again = assembler.Build();
    ASSERT_TRUE(again) << again.error().message;
    ASSERT_EQ(*again, event);
  }
}

// Whatever bytes say they are JSON, what leaves is JSON.
TEST(RoundTrip, HostileBodiesLeaveAsValidJson) {
  const DecodeOptions options;
  test::EventGenerator generator(46);
  EventAssembler assembler(options);
  for (int i = 0; i < kEvents; ++i) {
    const std::string body = generator.String() + generator.String();
    assembler.AddAttribute("specversion", "1.0");
    assembler.AddAttribute("id", "1");
    assembler.AddAttribute("source", "/s");
    assembler.AddAttribute("type", "t");
    assembler.AddAttribute("datacontenttype", "application/json");
    assembler.SetData(body);
    const auto event = assembler.Build();
    ASSERT_TRUE(event);
    const std::string json = EncodeJson(*event);
    ASSERT_TRUE(nlohmann::json::accept(json)) << json;
    ASSERT_EQ(event->data_kind() == DataKind::kJson,
              nlohmann::json::accept(body))
        << body;
  }
}

}  // namespace
}  // namespace cirro
