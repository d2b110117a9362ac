// The rules of the JSON event format and the JSON batch format, one by one.
// Their numbers and what each says: docs/conformance.md.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/cloudevents/json_format.h"
#include "support/event_fixtures.h"
#include "support/rules.h"

namespace cirro {
namespace {

using test::BrokenInJson;
using test::BrokenRules;
using test::JsonEvent;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Event Decode(const std::string& members) {
  auto event = DecodeJson(JsonEvent(members));
  EXPECT_TRUE(event) << event.error().message;
  return event ? *std::move(event) : test::MinEvent();
}

TEST(Rule041, AnEmptyBatchIsValid) {
  for (const char* const text : {"[]", " [ \n] "}) {
    const auto batch = DecodeJsonBatch(text);
    ASSERT_TRUE(batch) << text;
    EXPECT_TRUE(batch->empty());
  }
  EXPECT_EQ(EncodeJsonBatch({}), "[]");
}

TEST(Rule042, AnEventIsAnObject) {
  for (const char* const text : {"",
                                 " ",
                                 "null",
                                 "83",
                                 "8.3",
                                 "\"text\"",
                                 "[]",
                                 "[{}]",
                                 "{",
                                 "{gg",
                                 "{\"id\"}",
                                 "{\"id\":}",
                                 "{\"id\":\"1\",}",
                                 "{,}",
                                 "{\"id\":\"1\"",
                                 "{} x",
                                 "{}{}",
                                 "{}\xEF\xBB\xBF",
                                 "\xEF\xBB\xBF{}",
                                 "{'id':'1'}"}) {
    EXPECT_THAT(BrokenRules(DecodeJson(text)), ElementsAre(42)) << text;
  }
}

TEST(Rule042, ABatchIsAnArrayOfObjects) {
  for (const char* const text :
       {"", "{}", "null", "[", "[,]", "[{},]", "[] x", "[][]", "[{}", "[{]"}) {
    EXPECT_THAT(BrokenRules(DecodeJsonBatch(text)), ElementsAre(42)) << text;
  }
  const auto batch = DecodeJsonBatch("[1,[{}],\"x\"," + JsonEvent() + ",null]");
  ASSERT_TRUE(batch);
  ASSERT_EQ(batch->size(), 5U);
  for (const std::size_t i : {0U, 1U, 2U, 4U}) {
    EXPECT_THAT(BrokenRules((*batch)[i]), ElementsAre(42)) << i;
  }
  EXPECT_TRUE((*batch)[3]);
}

TEST(Rule042, AMalformedMemberLeavesTheOthersAlone) {
  const auto batch = DecodeJsonBatch("[{\"data\":1,\"data_base64\":\"AA==\"}," +
                                     JsonEvent() + ",{\"id\":\"1\"}]");
  ASSERT_TRUE(batch);
  ASSERT_EQ(batch->size(), 3U);
  EXPECT_THAT(BrokenRules((*batch)[0]), ElementsAre(13, 14, 15, 16, 49));
  ASSERT_TRUE((*batch)[1]);
  EXPECT_FALSE((*batch)[1]->has_data());
  EXPECT_THAT(BrokenRules((*batch)[2]), ElementsAre(14, 15, 16));
}

TEST(Rule042, ABatchHasABound) {
  DecodeOptions options;
  options.max_batch_events = 2;
  const std::string two = "[" + JsonEvent() + "," + JsonEvent();
  EXPECT_TRUE(DecodeJsonBatch(two + "]", options));
  const auto batch = DecodeJsonBatch(two + "," + JsonEvent() + "]", options);
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().code, ErrorCode::kTooLarge);
}

TEST(Rule043, ExtensionsAreTopLevelMembersOfTheirJsonType) {
  const Event event = Decode(R"("s":"5","i":5,"b":true,"f":false)");
  EXPECT_EQ(event.attribute("s")->type, AttributeType::kString);
  EXPECT_EQ(event.attribute("i")->type, AttributeType::kInteger);
  EXPECT_EQ(event.attribute("b")->type, AttributeType::kBoolean);
  EXPECT_EQ(event.attribute("b")->AsBoolean(), true);
  EXPECT_EQ(event.attribute("f")->AsBoolean(), false);
  EXPECT_EQ(EncodeJson(event),
            JsonEvent(R"("s":"5","i":5,"b":true,"f":false)"));
}

TEST(Rule043, EveryTypeIsWrittenAsTheTableSays) {
  EXPECT_THAT(EncodeJson(test::FullEvent()),
              HasSubstr(R"("extbool":true,"extint":-2147483647,)"
                        R"("extstring":"a \"quoted\" 100% )"
                        "\xE2\x82\xAC"
                        R"( \\ value","extbinary":"AP+A/w==",)"
                        R"("exturi":"urn:isbn:0451450523","extref":"../a?b#c",)"
                        R"("exttime":"1985-04-12T23:20:50Z")"));
}

TEST(Rule043, DeclaredTypesAreCheckedInStrings) {
  DecodeOptions options;
  options.extension_types = {{"when", AttributeType::kTimestamp},
                             {"blob", AttributeType::kBinary},
                             {"flag", AttributeType::kBoolean}};
  EXPECT_THAT(
      BrokenInJson(R"("when":"1985-04-12T23:20:50Z","blob":"AA==")", options),
      IsEmpty());
  EXPECT_THAT(BrokenInJson(R"("when":"now","blob":"A")", options),
              ElementsAre(9, 11));
  // Some senders write every value as a string: no harm but in strict mode.
  EXPECT_THAT(BrokenInJson(R"("flag":"true")", options), IsEmpty());
  options.strict = true;
  EXPECT_THAT(BrokenInJson(R"("flag":"true")", options), ElementsAre(43));
  EXPECT_THAT(BrokenInJson(R"("flag":true)", options), IsEmpty());
}

TEST(Rule044, NullIsAbsent) {
  const Event event =
      Decode(R"("subject":null,"time":null,"ext":null,"other":"v")");
  EXPECT_EQ(event.subject(), "");
  EXPECT_EQ(event.time(), std::nullopt);
  EXPECT_EQ(event.attribute("ext"), std::nullopt);
  EXPECT_EQ(event.extension("other"), "v");
  EXPECT_EQ(event.attribute_count(), 5U);
  EXPECT_EQ(EncodeJson(event), JsonEvent(R"("other":"v")"));
  EXPECT_THAT(
      BrokenRules(DecodeJson(
          R"({"specversion":"1.0","id":null,"source":"/","type":"t"})")),
      ElementsAre(13));
}

TEST(Rule044, ANullTypeIsImpliedAsAnAbsentOneIs) {
  const Event event = Decode(R"("datacontenttype":null,"data":1)");
  EXPECT_EQ(event.datacontenttype(), "application/json");
  EXPECT_EQ(event, Decode(R"("data":1)"));
}

TEST(Rule044, NullsAreBoundedAsAttributesAre) {
  DecodeOptions options;
  options.max_attributes = 4;
  options.max_attribute_name_bytes = 11;
  const auto code = [&options](const std::string& members) {
    const auto event = DecodeJson(JsonEvent(members), options);
    return event ? std::nullopt : std::optional(event.error().code);
  };
  EXPECT_EQ(code(R"("a":null,"b":null,"c":null,"d":null)"), std::nullopt);
  EXPECT_EQ(code(R"("a":null,"b":null,"c":null,"d":null,"e":null)"),
            ErrorCode::kTooLarge);
  EXPECT_EQ(code(R"("abcdefghijkl":null)"), ErrorCode::kTooLarge);
}

TEST(Rule045, ObjectsAndArraysAreNoAttributeValues) {
  for (const char* const value : {"[]", "{}", "[1]", R"({"a":"b"})"}) {
    EXPECT_THAT(BrokenInJson("\"ext\":" + std::string(value)), ElementsAre(45))
        << value;
  }
}

TEST(Rule045, NumbersAreIntegersOf32Bits) {
  for (const char* const value : {"0", "-0", "2147483647", "-2147483648"}) {
    EXPECT_THAT(BrokenInJson("\"ext\":" + std::string(value)), IsEmpty())
        << value;
  }
  for (const char* const value : {"2147483648", "-2147483649", "1.0", "1.5",
                                  "1e3", "1E0", "42.42", "-0.5", "1e-9"}) {
    EXPECT_THAT(BrokenInJson("\"ext\":" + std::string(value)), ElementsAre(45))
        << value;
  }
}

// It came: what is wrong is its type.
TEST(Rule045, ACoreAttributeOfAnotherTypeIsNotCalledMissing) {
  for (const char* const value : {"1.0", "1e3", "{}", "[]"}) {
    const auto event = DecodeJson(R"({"id":"1","source":"/s","type":"t",)"
                                  R"("extension":null,"specversion":)" +
                                  std::string(value) + "}");

    ASSERT_FALSE(event) << value;
    EXPECT_THAT(event.error().rules, ElementsAre(45)) << value;
    EXPECT_THAT(event.error().message,
                HasSubstr(R"(attribute "specversion" MUST be a JSON string)"));
    EXPECT_THAT(event.error().message, Not(HasSubstr("missing")));
  }
}

TEST(Rule046, BinaryDataIsWrittenAsBase64WithoutAnInventedType) {
  const auto event =
      EventBuilder(test::MinEvent())
          .data({std::string("\0\xFF\x10", 3), DataKind::kBinary, {}})
          .Build();
  ASSERT_TRUE(event);
  EXPECT_THAT(EncodeJson(*event), HasSubstr(R"("data_base64":"AP8Q")"));
  EXPECT_THAT(EncodeJson(*event), Not(HasSubstr("datacontenttype")));
}

TEST(Rule046, WhatSaysJsonAndIsNotIsWrittenAsBase64) {
  for (const char* const bytes :
       {"{\"a\":tru}", "", "[1,2}", "\"\\x\"", "1 2", "\"\xFF\"", "\"\\ud800\"",
        "01", "{\"a\":1,}", "nul", "\"\n\""}) {
    const auto event = EventBuilder(test::MinEvent())
                           .data({bytes, DataKind::kBinary, "application/json"})
                           .Build();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->data_kind(), DataKind::kBinary) << bytes;
    EXPECT_THAT(EncodeJson(*event), HasSubstr("data_base64")) << bytes;
    EXPECT_TRUE(IsJson(EncodeJson(*event))) << bytes;
    EXPECT_EQ(DecodeJson(EncodeJson(*event))->data(), bytes);
  }
}

TEST(Rule047, JsonDataIsTheValueItself) {
  for (const char* const type : {"application/json", "text/json",
                                 "application/vnd.x+json; charset=utf-8",
                                 "Application/JSON", "test/json"}) {
    const auto event = EventBuilder(test::MinEvent())
                           .data({" {\"a\" : [1]}\n", DataKind::kNone, type})
                           .Build();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->data_kind(), DataKind::kJson) << type;
    EXPECT_THAT(EncodeJson(*event), HasSubstr(R"("data":{"a" : [1]}})"));
  }
}

TEST(Rule047, AnAuthorsJsonMustBeJson) {
  EXPECT_THAT(
      BrokenRules(
          EventBuilder(test::MinEvent()).data(JsonText("{\"a\":tru}")).Build()),
      ElementsAre(47));
}

TEST(Rule048, TextIsAJsonString) {
  const auto event =
      EventBuilder(test::MinEvent())
          .data(Text(std::string("a\"\\/\b\f\n\r\t\x01\x7F", 11) +
                     "\xE2\x82\xAC" + std::string(1, '\0')))
          .Build();
  ASSERT_TRUE(event);
  EXPECT_THAT(EncodeJson(*event),
              HasSubstr("\"data\":\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\x7F"
                        "\xE2\x82\xAC\\u0000\"}"));
  EXPECT_EQ(*DecodeJson(EncodeJson(*event)), *event);
}

TEST(Rule048, AnAuthorsTextMustBeUtf8) {
  EXPECT_THAT(
      BrokenRules(EventBuilder(test::MinEvent()).data(Text("\xFF")).Build()),
      ElementsAre(48));
}

TEST(Rule049, DataAndDataBase64ExcludeEachOther) {
  EXPECT_THAT(BrokenInJson(R"("data":"text","data_base64":"AQID")"),
              ElementsAre(49));
  EXPECT_EQ(Decode(R"("data":"text","data_base64":null)").data(), "\"text\"");
}

TEST(Rule049, NullBesideDataBase64IsRefusedInStrictMode) {
  const std::string members = R"("data":null,"data_base64":"AQID")";
  EXPECT_EQ(Decode(members).data(), "\x01\x02\x03");
  DecodeOptions options;
  options.strict = true;
  EXPECT_THAT(BrokenInJson(members, options), ElementsAre(49));
}

TEST(Rule050, DataBase64IsBytesWithoutAnAssumedType) {
  const Event event = Decode(R"("data_base64":"e30=")");
  EXPECT_EQ(event.data(), "{}");
  EXPECT_EQ(event.data_kind(), DataKind::kBinary);
  EXPECT_EQ(event.datacontenttype(), "");
  EXPECT_EQ(Decode(R"("data_base64":"A\u0051I\/")").data(), "\x01\x02?");
}

TEST(Rule050, DataBase64OfAJsonTypeIsJson) {
  const Event event =
      Decode(R"("data_base64":"e30=","datacontenttype":"application/json")");
  EXPECT_EQ(event.data(), "{}");
  EXPECT_EQ(event.data_kind(), DataKind::kJson);
}

TEST(Rule050, DataBase64IsAStringOfBase64) {
  for (const char* const value :
       {"10", "true", "{}", R"("A")", R"("AQID\n")", R"("AQ=")", R"("A-_=")"}) {
    EXPECT_THAT(BrokenInJson("\"data_base64\":" + std::string(value)),
                ElementsAre(50))
        << value;
  }
}

TEST(Rule051, AJsonStringStaysAString) {
  const Event event = Decode(R"("data":"{\"a\":1}")");
  EXPECT_EQ(event.data(), R"("{\"a\":1}")");
  EXPECT_EQ(event.data_kind(), DataKind::kJson);
}

TEST(Rule051, NullIsAPayload) {
  const Event event = Decode(R"("data":null)");
  EXPECT_TRUE(event.has_data());
  EXPECT_EQ(event.data(), "null");
  EXPECT_THAT(EncodeJson(event), HasSubstr(R"("data":null)"));
  EXPECT_FALSE(Decode("").has_data());
}

TEST(Rule051, NumbersKeepEveryDigit) {
  EXPECT_EQ(Decode(R"("data":1524831183200260097)").data(),
            "1524831183200260097");
}

TEST(Rule052, DataOfAnotherTypeIsText) {
  for (const char* const type :
       {"text/plain", "image/png", "application/jsonx"}) {
    const Event event =
        Decode("\"data\":\"a\\n\\u20ac\",\"datacontenttype\":\"" +
               std::string(type) + "\"");
    EXPECT_EQ(event.data(), "a\n\xE2\x82\xAC") << type;
    EXPECT_EQ(event.data_kind(), DataKind::kText) << type;
  }
}

TEST(Rule052, DataOfAnotherTypeMustBeAString) {
  for (const char* const value : {"10", "true", "{}", "[]"}) {
    EXPECT_THAT(BrokenInJson(R"("datacontenttype":"text/plain","data":)" +
                             std::string(value)),
                ElementsAre(52))
        << value;
  }
}

TEST(Rule052, NullOfAnotherTypeIsNoDataButInStrictMode) {
  const std::string members = R"("datacontenttype":"text/plain","data":null)";
  EXPECT_FALSE(Decode(members).has_data());
  DecodeOptions options;
  options.strict = true;
  EXPECT_THAT(BrokenInJson(members, options), ElementsAre(52));
}

TEST(Rule053, DataWithoutATypeIsJson) {
  for (const char* const value : {"\"text\"", "{}", "10", "null", "false"}) {
    const Event event = Decode("\"data\":" + std::string(value));
    EXPECT_EQ(event.data(), value);
    EXPECT_EQ(event.data_kind(), DataKind::kJson);
    EXPECT_EQ(event.datacontenttype(), "application/json");
  }
}

TEST(Rule053, TheTypeMayComeAfterTheData) {
  EXPECT_EQ(Decode(R"("data":"a\nb","datacontenttype":"text/plain")").data(),
            "a\nb");
}

TEST(Rule054, MembersAppearOnce) {
  for (const char* const members :
       {R"("specversion":"1.0")", R"("id":"1")", R"("source":"/s")",
        R"("type":"t")", R"("datacontenttype":"a/b","datacontenttype":"a/b")",
        R"("dataschema":"a:b","dataschema":"a:b")",
        R"("subject":"s","subject":"z")",
        R"("time":"1985-04-12T23:20:50Z","time":"1985-04-12T23:20:50Z")",
        R"("ext":"a","ext":"a")", R"("ext":1,"ext":true)"}) {
    EXPECT_THAT(BrokenInJson(members), ElementsAre(3)) << members;
  }
  EXPECT_THAT(BrokenInJson(R"("data":1,"data":2)"), ElementsAre(54));
  EXPECT_THAT(BrokenInJson(R"("data_base64":"","data_base64":"")"),
              ElementsAre(54));
  // Members of the data are its own.
  EXPECT_THAT(BrokenInJson(R"("ext":1,"ext2":1,"data":{"a":1,"a":2})"),
              IsEmpty());
}

TEST(Rule054, ANullMemberCountsAsOne) {
  for (const char* const members :
       {R"("id":null)", R"("specversion":null)",
        R"("subject":null,"subject":"s")", R"("subject":"s","subject":null)",
        R"("subject":null,"subject":null)", R"("ext":null,"ext":"v")",
        R"("ext":"v","ext":null)", R"("ext":null,"ext":null)",
        R"("ext":1,"ext":null)", R"("ext":null,"e\u0078t":false)",
        R"("ext":null,"a":"v","b":null,"c":3,"ext":null)"}) {
    EXPECT_THAT(BrokenInJson(members), ElementsAre(3)) << members;
  }
  // The first one counts, so that the attribute is missing, too.
  EXPECT_THAT(BrokenRules(DecodeJson(
                  R"({"id":null,"specversion":"1.0","id":"1","source":"/s",)"
                  R"("type":"t"})")),
              ElementsAre(3, 13));
  for (const char* const members :
       {R"("data":null,"data":1)", R"("data":1,"data":null)",
        R"("data":null,"data":null)", R"("data_base64":null,"data_base64":"")",
        R"("data_base64":"","data_base64":null)",
        R"("data_base64":null,"data_base64":null)"}) {
    EXPECT_THAT(BrokenInJson(members), ElementsAre(54)) << members;
  }
}

TEST(Rule054, AnEventOfABatchDoesNotRememberTheOneBefore) {
  const std::string event = JsonEvent(R"("subject":null,"ext":null)");
  const auto batch = DecodeJsonBatch("[" + event + "," +
                                     JsonEvent(R"("subject":"s","ext":"v")") +
                                     "," + event + "]");
  ASSERT_TRUE(batch);
  for (const auto& member : *batch) {
    EXPECT_TRUE(member) << member.error().message;
  }
}

TEST(Rule054, NamesAreComparedWithoutTheirEscapes) {
  EXPECT_THAT(BrokenInJson(R"("\u0069d":"2")"), ElementsAre(3));
  EXPECT_THAT(BrokenInJson(R"("ext":"a","e\u0078t":"a")"), ElementsAre(3));
  EXPECT_THAT(BrokenInJson(R"("d\u0061ta":1,"data":2)"), ElementsAre(54));
}

TEST(Rule055, WhatTheSchemaSaysHoldsWithoutIt) {
  // What draft-07 can say of an event, said here without it.
  for (const char* const members :
       {R"("subject":"")", R"("datacontenttype":"")", R"("dataschema":"")",
        R"("time":"")", R"("dataschema":"no uri")", R"("time":"no time")",
        R"("data_base64":"no base64")", R"("data_base64":7)"}) {
    EXPECT_THAT(BrokenInJson(members), Not(IsEmpty())) << members;
  }
}

}  // namespace
}  // namespace cirro
