// The rules of CloudEvents' core specification, one by one. Their numbers and
// what each says: docs/conformance.md.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "cirro/cloudevents/event_assembler.h"
#include "cirro/cloudevents/event_builder.h"
#include "cirro/cloudevents/json_format.h"
#include "support/event_fixtures.h"
#include "support/rules.h"

namespace cirro {
namespace {

using test::BrokenIn;
using test::BrokenInJson;
using test::BrokenRules;
using test::JsonEvent;
using test::MinDraft;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Rule001, NamesAreLowerCaseLettersAndDigits) {
  for (const char* const name : {"a", "0", "sha256", "traceparent"}) {
    EXPECT_THAT(BrokenIn({name, "v"}), IsEmpty()) << name;
  }
  for (const char* const name :
       {"", "traceParent", "trace-parent", "trace_parent", "a b", "a.b",
        "\xC3\xA4", "a\n", "ID"}) {
    EXPECT_THAT(BrokenIn({name, "v"}), ElementsAre(1)) << name;
  }
}

TEST(Rule001, LongNamesAreValid) {
  EXPECT_THAT(BrokenIn({std::string(200, 'a'), "v"}), IsEmpty());
}

TEST(Rule002, NoAttributeIsCalledData) {
  EXPECT_THAT(BrokenIn({"data", "v"}), ElementsAre(2));
}

TEST(Rule003, EachAttributeAppearsOnce) {
  auto draft = MinDraft();
  draft.extensions = {{"a", "1"}, {"b", "1"}};
  EXPECT_THAT(BrokenRules(Build(draft)), IsEmpty());
  draft.extensions.emplace_back("a", "1");
  EXPECT_THAT(BrokenRules(Build(draft)), ElementsAre(3));
  draft.extensions = {{"a", "1"}, {"a", true}};
  EXPECT_THAT(BrokenRules(Build(draft)), ElementsAre(3));
  draft.extensions = {{"id", "2"}};
  EXPECT_THAT(BrokenRules(Build(draft)), ElementsAre(3));
}

TEST(Rule003, EachCoreAttributeAppearsOnceAlsoWithAnEqualValue) {
  const DecodeOptions options;
  EventAssembler assembler(options);
  const Event event = test::FullEvent();
  const auto add = [&assembler](const Attribute& attribute) {
    assembler.AddAttribute(attribute.name, attribute.text);
  };
  for (std::size_t twice = 0; twice < event.attribute_count(); ++twice) {
    for (std::size_t i = 0; i < event.attribute_count(); ++i) {
      add(event.attribute_at(i));
    }
    add(event.attribute_at(twice));
    const auto built = assembler.Build();
    EXPECT_THAT(BrokenRules(built), ElementsAre(3));
    EXPECT_THAT(built.error().message,
                HasSubstr(std::string(event.attribute_at(twice).name)));
  }
}

// Who sets an attribute again means another value, not a second one.
TEST(Rule003, ABuilderReplaces) {
  const auto event = EventBuilder(test::MinEvent())
                         .id("a")
                         .id("b")
                         .extension({"x", 1})
                         .extension({"x", "2"})
                         .Build();
  ASSERT_TRUE(event) << event.error().message;
  EXPECT_EQ(event->id(), "b");
  EXPECT_EQ(event->extension("x"), "2");
  EXPECT_EQ(event->attribute_count(), 5U);
}

TEST(Rule003, ManyNamesAreToldApart) {
  auto draft = MinDraft();
  for (int i = 0; i < 500; ++i) {
    draft.extensions.emplace_back("name" + std::to_string(i), i);
  }
  EXPECT_TRUE(Build(draft));
  draft.extensions.emplace_back("name250", 1);
  EXPECT_THAT(BrokenRules(Build(draft)), ElementsAre(3));
}

TEST(Rule004, ExtensionsHaveTheSevenTypes) {
  const Event event = test::FullEvent();
  const auto type_of = [&event](const char* name) {
    return event.attribute(name)->type;
  };
  EXPECT_EQ(type_of("extbool"), AttributeType::kBoolean);
  EXPECT_EQ(type_of("extint"), AttributeType::kInteger);
  EXPECT_EQ(type_of("extstring"), AttributeType::kString);
  EXPECT_EQ(type_of("extbinary"), AttributeType::kBinary);
  EXPECT_EQ(type_of("exturi"), AttributeType::kUri);
  EXPECT_EQ(type_of("extref"), AttributeType::kUriReference);
  EXPECT_EQ(type_of("exttime"), AttributeType::kTimestamp);
}

TEST(Rule004, CoreAttributesHaveTheirOwnType) {
  const DecodeOptions options;
  EventAssembler assembler(options);
  assembler.AddAttribute("specversion", "1.0", AttributeType::kString);
  assembler.AddAttribute("id", "1", AttributeType::kInteger);
  assembler.AddAttribute("source", "/s", AttributeType::kUriReference);
  assembler.AddAttribute("type", "true", AttributeType::kBoolean);
  EXPECT_THAT(BrokenRules(assembler.Build()), ElementsAre(13, 16));
}

TEST(Rule013, IdIsNonEmptyString) {
  auto draft = MinDraft();
  draft.id = "";
  const auto event = Build(draft);
  EXPECT_THAT(BrokenRules(event), ElementsAre(13));
  EXPECT_THAT(event.error().message,
              HasSubstr("rule 13: id MUST be a non-empty string"));
  EXPECT_THAT(BrokenRules(DecodeJson(
                  R"({"specversion":"1.0","id":"","source":"/","type":"t"})")),
              ElementsAre(13));
}

TEST(Rule014, SourceIsNonEmptyUriReference) {
  for (const char* const source :
       {"", ":a", "a b", "http://[::1", "%", "\xC3\xA4", "a\\b"}) {
    auto draft = MinDraft();
    draft.source = source;
    EXPECT_THAT(BrokenRules(Build(draft)), ElementsAre(14)) << source;
  }
  for (const char* const source :
       {"/", "a", "#a", "https://github.com/cloudevents", "1-555-123-4567"}) {
    auto draft = MinDraft();
    draft.source = source;
    EXPECT_THAT(BrokenRules(Build(draft)), IsEmpty()) << source;
  }
}

TEST(Rule015, SpecversionIsOnePointZero) {
  for (const char* const version :
       {R"("specversion":"",)", R"("specversion":"0.3",)",
        R"("specversion":"1.0.2",)", R"("specversion":"2.0",)", "",
        R"("specversion":null,)", R"("specversion":1,)"}) {
    EXPECT_THAT(
        BrokenRules(DecodeJson("{" + std::string(version) +
                               R"("id":"1","source":"/s","type":"t"})")),
        ElementsAre(15))
        << version;
  }
  EXPECT_EQ(test::MinEvent().specversion(), "1.0");
}

TEST(Rule016, TypeIsNonEmptyString) {
  auto draft = MinDraft();
  draft.type = "";
  EXPECT_THAT(BrokenRules(Build(draft)), ElementsAre(16));
}

TEST(Rule017, DatacontenttypeIsMediaType) {
  const auto with = [](const char* type) {
    return EventBuilder(test::MinEvent()).datacontenttype(type).Build();
  };
  for (const char* const type :
       {"a/b", "text/plain; charset=utf-8", "application/vnd.x+json;a=\"\"",
        "a/b ;c=d;  e=\"f \\\" \\\\ ;/=,\"", "!#$%&'*+-.^_`|~/x;y=!#$%&'*+",
        "a/b;", "a/b;;c=d"}) {
    EXPECT_THAT(BrokenRules(with(type)), IsEmpty()) << type;
  }
  for (const char* const type : {"json",
                                 "/",
                                 "a/",
                                 "/b",
                                 "a/b/c",
                                 "a/b c",
                                 "text/html; charset:",
                                 "a/b; ",
                                 "a/b;c",
                                 "a/b;c=",
                                 "a/b; c =d",
                                 "a/b;c=\"d",
                                 "a/b;c=d e",
                                 "a/b,c/d",
                                 " a/b",
                                 "a/b ",
                                 "a/\xC3\xA4",
                                 "a/b;c=\"\xC3\xA4\"",
                                 "a/b;c=\"\n\"",
                                 "a/b\r\nx: y"}) {
    EXPECT_THAT(BrokenRules(with(type)), ElementsAre(17)) << type;
  }
  EXPECT_THAT(BrokenInJson(R"("datacontenttype":"")"), ElementsAre(17));
  EXPECT_THAT(BrokenInJson(R"("datacontenttype":7)"), ElementsAre(17));
}

TEST(Rule017, DatacontenttypeIsKeptAsItWasWritten) {
  constexpr const char* kType =
      "Text/PLAIN ;  Charset=\"UTF-8\"; X=\"a \\\" b\"";
  const auto event =
      EventBuilder(test::MinEvent()).data(Text("x", kType)).Build();
  ASSERT_TRUE(event) << event.error().message;
  EXPECT_EQ(event->datacontenttype(), kType);
  const auto again = DecodeJson(EncodeJson(*event));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->datacontenttype(), kType);
}

TEST(Rule017, DatacontenttypeMayBeThereWithoutData) {
  const auto event =
      EventBuilder(test::MinEvent()).datacontenttype("text/plain").Build();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->datacontenttype(), "text/plain");
  EXPECT_FALSE(event->has_data());
}

// What the data is taken for is what can be seen of a comparison.
TEST(Rule017, TypesAndParameterNamesAreComparedWithoutRegardToCase) {
  const auto kind = [](const char* type) {
    const auto event = EventBuilder(test::MinEvent())
                           .data({"{}", DataKind::kNone, type})
                           .Build();
    return event ? event->data_kind() : DataKind::kNone;
  };
  for (const char* const type :
       {"application/json", "APPLICATION/JSON", "Application/Json;a=b",
        "application/vnd.example+json",
        "APPLICATION/Vnd.Example+JSON;Charset=UTF-8"}) {
    EXPECT_EQ(kind(type), DataKind::kJson) << type;
  }
  for (const char* const type :
       {"text/plain", "TEXT/Plain", "text/plain;charset=utf-8",
        "Text/plain;CHARSET=utf-8", "text/PLAIN;Charset=\"utf-8\""}) {
    EXPECT_EQ(kind(type), DataKind::kText) << type;
  }
  // Another charset by whatever letters is found, and is not our text.
  for (const char* const type :
       {"text/plain;charset=iso-8859-1", "TEXT/PLAIN;CHARSET=ISO-8859-1",
        "text/plain;a=b;cHARSEt=\"iso-8859-1\"", "application/jsonx"}) {
    EXPECT_EQ(kind(type), DataKind::kBinary) << type;
  }
}

TEST(Rule018, ImpliedTypeIsWrittenExplicitly) {
  const auto event = DecodeJson(JsonEvent(R"("data":{"a":1})"));
  ASSERT_TRUE(event) << event.error().message;
  EXPECT_EQ(event->datacontenttype(), "application/json");
  EXPECT_THAT(EncodeJson(*event),
              HasSubstr(R"("datacontenttype":"application/json")"));
}

TEST(Rule019, DataschemaIsNonEmptyAbsoluteUri) {
  for (const char* const schema :
       {"", "/schema", "//host/schema", "a b:c", "http://[::1", "1a:b"}) {
    EXPECT_THAT(BrokenInJson("\"dataschema\":\"" + std::string(schema) + "\""),
                ElementsAre(19))
        << schema;
  }
  EXPECT_THAT(BrokenInJson(R"("dataschema":"https://a/b#c")"), IsEmpty());
}

TEST(Rule020, SubjectIsNonEmptyWhenPresent) {
  EXPECT_THAT(BrokenInJson(R"("subject":"")"), ElementsAre(20));
  EXPECT_THAT(BrokenInJson(R"("subject":5)"), ElementsAre(20));
  EXPECT_THAT(BrokenInJson(R"("subject":"  ")"), IsEmpty());
}

TEST(Rule021, TimeIsRfc3339WhenPresent) {
  EXPECT_THAT(BrokenInJson(R"("time":"")"), ElementsAre(21));
  EXPECT_THAT(BrokenInJson(R"("time":"yesterday")"), ElementsAre(21));
  EXPECT_THAT(BrokenInJson(R"("time":1700000000)"), ElementsAre(21));
}

TEST(Rule021, TimeKeepsItsProducersText) {
  const auto event =
      DecodeJson(JsonEvent(R"("time":"2018-04-05t17:31:00.10000000000z")"));
  ASSERT_TRUE(event) << event.error().message;
  EXPECT_EQ(event->time_text(), "2018-04-05t17:31:00.10000000000z");
  EXPECT_EQ(event->time()->nanoseconds, 100'000'000U);
}

TEST(Rule022, EventsOf64KiBPassThrough) {
  const std::string members =
      R"("datacontenttype":"text/plain","data":")" +
      std::string(65'536 - JsonEvent().size() - 41, 'x') + "\"";
  const std::string json = JsonEvent(members);
  ASSERT_EQ(json.size(), 65'536U);
  const auto event = DecodeJson(json);
  ASSERT_TRUE(event) << event.error().message;
  EXPECT_EQ(EncodeJson(*event).size(), json.size());
}

TEST(Rule023, EventsOf64KiBAreAccepted) {
  EXPECT_GE(DecodeOptions().max_event_bytes, 65'536U);
  DecodeOptions options;
  options.max_event_bytes = 1'000;
  const auto event = DecodeJson(
      JsonEvent("\"data\":\"" + std::string(1'000, 'x') + "\""), options);
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code, ErrorCode::kTooLarge);
  EXPECT_THAT(event.error().message, HasSubstr("max_event_bytes = 1000"));
}

TEST(Rule024, EventsAreWrittenCompactly) {
  const auto event = EventBuilder(test::MinEvent()).subject("/\x7E ").Build();
  ASSERT_TRUE(event);
  EXPECT_EQ(EncodeJson(*event),
            R"({"specversion":"1.0","id":"min-1","source":"/min",)"
            R"("type":"com.example.min","subject":"/~ "})");
}

TEST(Rule025, ErrorsNeverQuoteData) {
  for (const char* const members :
       {R"("datacontenttype":"text/plain","data":{"password":"secret"})",
        R"("data":"secret","data_base64":"c2VjcmV0")",
        R"("data":"secret","data":"secret")", R"("data_base64":"secret!")",
        R"("data":{"secret":secret}})", R"("data":"secret)",
        R"("data":["secret","\ud800secret"])", R"("time":"x","data":"secret")",
        R"("data":"secret","specversion":"2")"}) {
    const auto event = DecodeJson(JsonEvent(members));
    ASSERT_FALSE(event) << members;
    EXPECT_THAT(event.error().message, Not(HasSubstr("secret"))) << members;
    EXPECT_THAT(event.error().message, Not(HasSubstr("c2VjcmV0"))) << members;
  }
  for (const Data& data : {JsonText("{\"secret\":}"), Text("secret\xFF")}) {
    const auto event = EventBuilder(test::MinEvent()).data(data).Build();
    ASSERT_FALSE(event);
    EXPECT_THAT(event.error().message, Not(HasSubstr("secret")));
  }
}

// An author who keeps a secret in the data keeps it out of the attributes.
TEST(Rule025, NoAttributeIsMadeFromData) {
  const Event bare = test::MinEvent();
  const auto event = EventBuilder(bare)
                         .data(JsonText(R"({"id":"secret","token":"secret"})"))
                         .Build();
  ASSERT_TRUE(event);
  ASSERT_EQ(event->attribute_count(), bare.attribute_count() + 1);
  for (std::size_t i = 0; i < event->attribute_count(); ++i) {
    EXPECT_THAT(std::string(event->attribute_at(i).text),
                Not(HasSubstr("secret")));
  }
}

TEST(Rule026, UnknownExtensionsArePassedOnUntouched) {
  const auto event =
      DecodeJson(JsonEvent(R"("z9":"  v ","x":"AQID","flag":false,"n":-0)"));
  ASSERT_TRUE(event) << event.error().message;
  EXPECT_EQ(EncodeJson(*event),
            JsonEvent(R"("z9":"  v ","x":"AQID","flag":false,"n":-0)"));
}

TEST(Rule027, EventsOfOneBatchShareTheirSpecversion) {
  const std::string other =
      R"({"specversion":"0.3","id":"1","source":"/s","type":"t"})";
  const auto batch = DecodeJsonBatch("[" + JsonEvent() + "," + other + "," +
                                     JsonEvent() + "]");
  ASSERT_TRUE(batch);
  ASSERT_EQ(batch->size(), 3U);
  EXPECT_TRUE((*batch)[0]);
  EXPECT_THAT(BrokenRules((*batch)[1]), ElementsAre(15));
  EXPECT_TRUE((*batch)[2]);
}

TEST(Rule127, EveryBrokenRuleIsReportedAtOnce) {
  EventDraft draft;
  draft.source = ":";
  draft.time = "now";
  draft.datacontenttype = "json";
  draft.extensions = {{"A", "v"}, {"n", AttributeType::kInteger, "x"}};
  const auto event = Build(draft);
  EXPECT_THAT(BrokenRules(event), ElementsAre(1, 7, 13, 14, 16, 17, 21));
  EXPECT_EQ(event.error().code, ErrorCode::kInvalidEvent);
}

TEST(Rule127, HostileValuesAreCutInMessages) {
  auto draft = MinDraft();
  draft.source = "\x1B[31m\"" + std::string(10'000, ' ');
  const auto event = Build(draft);
  ASSERT_FALSE(event);
  EXPECT_LT(event.error().message.size(), 300U);
  EXPECT_THAT(event.error().message, HasSubstr(R"("\x1B[31m\x22)"));
}

TEST(Rule127, AThousandBrokenAttributesMakeOneShortMessage) {
  auto draft = MinDraft();
  for (int i = 0; i < 1'000; ++i) {
    draft.extensions.emplace_back("A" + std::to_string(i), "v");
  }
  const auto event = Build(draft);
  EXPECT_THAT(BrokenRules(event), ElementsAre(1));
  EXPECT_LT(event.error().message.size(), 3'000U);
  EXPECT_THAT(event.error().message, HasSubstr("and 984 more"));
}

TEST(Rule128, OlderVersionsAreRefusedByName) {
  const auto event =
      DecodeJson(R"({"specversion":"0.3","id":"1","source":"/s","type":"t"})");
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code, ErrorCode::kInvalidEvent);
  EXPECT_THAT(event.error().message, HasSubstr("specversion MUST be 1.0"));
  EXPECT_THAT(event.error().message, HasSubstr("it is \"0.3\""));
}

}  // namespace
}  // namespace cirro
