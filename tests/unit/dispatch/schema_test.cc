#include "cirro/dispatch/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "cirro/dispatch/make_handler.h"
#include "support/handler_calls.h"

namespace cirro {
namespace {

using test::CallAsync;
using test::CallBatch;
using test::CallSingle;
using test::EventWith;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::string_view kOrder = R"({
  "type": "object",
  "required": ["id", "total"],
  "properties": {
    "id": {"type": "string"},
    "total": {"type": "number", "minimum": 0},
    "lines": {"type": "array", "items": {
      "type": "object", "properties": {"a/b~c": {"type": "integer"}}}}
  }
})";

std::unique_ptr<const SchemaValidator> Schema(std::string_view text) {
  auto validator = SchemaValidator::Compile(text);
  EXPECT_TRUE(validator) << validator.error().message;
  return validator ? *std::move(validator) : nullptr;
}

// Why `json` does not fit; empty if it does.
std::string Complaint(const SchemaValidator& validator, std::string_view json) {
  const Result<void> result = validator.Validate(json);
  if (result) return {};
  EXPECT_EQ(result.error().code, ErrorCode::kRejected);
  return result.error().message;
}

std::string CompileError(std::string_view text) {
  const auto validator = SchemaValidator::Compile(text);
  if (validator) return {};
  EXPECT_EQ(validator.error().code, ErrorCode::kInvalidConfig);
  return validator.error().message;
}

std::string Repeat(std::string_view text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

TEST(SchemaValidator, TakesDataThatFits) {
  const auto schema = Schema(kOrder);

  EXPECT_EQ(Complaint(*schema, R"({"id":"a","total":3,"more":[]})"), "");
}

TEST(SchemaValidator, NamesThePlaceAndTheRule) {
  const auto schema = Schema(kOrder);

  EXPECT_THAT(Complaint(*schema, R"({"id":"a","total":-1})"),
              AllOf(HasSubstr("at '/total'"), HasSubstr("greater than")));
  EXPECT_THAT(Complaint(*schema, R"({"id":"a"})"),
              AllOf(HasSubstr("at ''"), HasSubstr("'total'")));
  EXPECT_THAT(Complaint(*schema, "[]"), HasSubstr("'type'"));
}

TEST(SchemaValidator, EscapesThePlaceAsJsonPointersDo) {
  const auto schema = Schema(kOrder);

  EXPECT_THAT(Complaint(*schema, R"({"id":"a","total":1,"lines":[
                  {"a/b~c":1},{"a/b~c":"x"}]})"),
              HasSubstr("at '/lines/1/a~1b~0c'"));
}

TEST(SchemaValidator, RefusesWhatIsNoJson) {
  const auto schema = Schema("true");

  EXPECT_THAT(Complaint(*schema, "{"), HasSubstr("not JSON"));
  EXPECT_THAT(Complaint(*schema, "1e999"), HasSubstr("does not parse"));
  EXPECT_THAT(Complaint(*schema, std::string(100'000, '[')),
              HasSubstr("not JSON"));
}

TEST(SchemaValidator, RefusesAnEventWithoutJsonData) {
  const auto schema = Schema("true");

  const Result<void> none = schema->Validate(EventWith());
  const Result<void> text = schema->Validate(EventWith(Text("{}")));
  const Result<void> json = schema->Validate(EventWith(JsonText("{}")));

  EXPECT_FALSE(none);
  EXPECT_FALSE(text);
  EXPECT_TRUE(json);
}

TEST(SchemaValidator, FollowsReferencesInside) {
  const auto schema = Schema(R"({
    "$id": "https://example.com/tree.json",
    "definitions": {"node": {"type": "object", "properties": {
      "value": {"type": "integer"},
      "next": {"$ref": "#/definitions/node"}}}},
    "$ref": "#/definitions/node"})");

  EXPECT_EQ(Complaint(*schema, R"({"value":1,"next":{"value":2}})"), "");
  EXPECT_THAT(Complaint(*schema, R"({"value":1,"next":{"value":"x"}})"),
              HasSubstr("at '/next/value'"));
}

TEST(SchemaValidator, RefusesABrokenSchemaAtOnce) {
  EXPECT_THAT(CompileError("{"), HasSubstr("not JSON"));
  EXPECT_THAT(CompileError(Repeat("[", 100'000)), HasSubstr("deeper"));
  EXPECT_THAT(CompileError("3"), HasSubstr("an object, true or false"));
  EXPECT_NE(CompileError(R"({"type": 5})"), "");
  EXPECT_NE(CompileError(R"({"type": "strnig"})"), "");
  EXPECT_NE(CompileError(R"({"minimum": "a"})"), "");
  EXPECT_NE(CompileError(R"({"$ref": "#/definitions/absent"})"), "");
  EXPECT_THAT(CompileError(R"({"pattern": "("})"), HasSubstr("pattern '('"));
  EXPECT_THAT(CompileError(R"({"patternProperties": {"[": true}})"),
              HasSubstr("pattern '['"));
}

TEST(SchemaValidator, FetchesNothing) {
  for (const char* reference :
       {"http://127.0.0.1:1/s.json", "file:///etc/passwd", "other.json",
        "//host/x#/definitions/y", "urn:x"}) {
    EXPECT_THAT(CompileError(std::string(R"({"items": {"$ref": ")") +
                             reference + R"("}})"),
                AllOf(HasSubstr(reference), HasSubstr("nothing is fetched")));
  }
}

TEST(SchemaValidator, RefusesReferencesThatNeverGoDeeper) {
  EXPECT_THAT(CompileError(R"({"$ref": "#"})"), HasSubstr("back to itself"));
  EXPECT_THAT(CompileError(R"({"allOf": [{"$ref": "#"}]})"),
              HasSubstr("back to itself"));
  EXPECT_THAT(CompileError(R"({"not": {"if": {"$ref": "#"}}})"),
              HasSubstr("back to itself"));
  EXPECT_THAT(CompileError(R"({"properties": {"x": {"$ref": "#/definitions/a"}},
                  "definitions": {"a": {"anyOf": [{"$ref": "#/definitions/b"}]},
                                  "b": {"$ref": "#/definitions/a"}}})"),
              HasSubstr("back to itself"));
}

TEST(SchemaValidator, IgnoresWhatLooksLikeAKeywordInValues) {
  const auto schema =
      Schema(R"({"enum": [{"$ref": "http://x"}, {"pattern": "("}]})");

  EXPECT_EQ(Complaint(*schema, R"({"pattern":"("})"), "");
  EXPECT_EQ(Complaint(*schema, R"({"$ref":"http://x"})"), "");
}

// A property or a definition may be called as a keyword is.
TEST(SchemaValidator, SeesSchemasWhateverTheirNames) {
  const std::string json =
      R"({"default":")" + std::string(300'000, 'a') + "\"}";

  for (const char* schema :
       {R"({"properties": {"default": {"pattern": "^(a|b)*$"}}})",
        R"({"properties": {"default": {"$ref": "#/definitions/const"}},
            "definitions": {"const": {"pattern": "^(a|b)*$"}}})",
        R"({"properties": {"default": {"$ref": "#/examples/0"}},
            "examples": [{"pattern": "^(a|b)*$"}]})",
        R"({"dependencies": {"default": {"propertyNames": {"pattern": "a"},
            "properties": {"default": {"pattern": "^(a|b)*$"}}}}})"}) {
    EXPECT_THAT(Complaint(*Schema(schema), json), HasSubstr("1024")) << schema;
  }
  EXPECT_FALSE(SchemaValidator::Compile(
      R"({"properties": {"enum": {"$ref": "http://x"}}})"));
}

// Each level of the data would double the work.
TEST(SchemaValidator, RefusesDeepDataWhereBranchesLeadBack) {
  const auto nested = [](int depth) {
    std::string json = R"({"kind":"c"})";
    for (int i = 0; i < depth; ++i) json = R"({"child":)" + json + "}";
    return json;
  };

  for (const char* schema :
       {R"({"oneOf": [{"properties": {"child": {"$ref": "#"},
                                      "kind": {"const": "a"}}},
                      {"properties": {"child": {"$ref": "#"},
                                      "kind": {"const": "b"}}}]})",
        R"({"$ref": "#/definitions/n", "definitions": {"n": {
            "properties": {"child": {"$ref": "#/definitions/n"}},
            "allOf": [{"additionalProperties": {"$ref": "#/definitions/n"}},
                      {"required": []}]}}})"}) {
    EXPECT_THAT(Complaint(*Schema(schema), nested(60)), HasSubstr("lead back"))
        << schema;
  }
  const auto plain = Schema(R"({"properties": {"child": {"$ref": "#"}}})");
  EXPECT_EQ(Complaint(*plain, nested(60)), "");
}

// Data that would make std::regex overflow the stack.
TEST(SchemaValidator, RefusesLongStringsWhereThereIsAPattern) {
  const std::string json = '"' + std::string(50'000, 'a') + '"';
  const std::string name = R"({")" + std::string(50'000, 'a') + R"(":1})";

  for (const char* schema :
       {R"({"pattern": "^(a|b)*$"})", R"({"items": {"pattern": "a*"}})",
        R"({"format": "date"})", R"({"format": "date-time"})",
        R"({"propertyNames": {"pattern": "(a|b)*"}})",
        R"({"patternProperties": {"(a|b)*": {"type": "string"}}})"}) {
    EXPECT_THAT(Complaint(*Schema(schema), json), HasSubstr("1024")) << schema;
    EXPECT_THAT(Complaint(*Schema(schema), name), HasSubstr("1024")) << schema;
  }
}

TEST(SchemaValidator, MatchesStringsUpToTheLimit) {
  const auto schema = Schema(R"({"pattern": "^(a|b)*$"})");
  const std::string longest(1'024, 'a');

  EXPECT_EQ(Complaint(*schema, '"' + longest + '"'), "");
  EXPECT_THAT(Complaint(*schema, "\"c\""), HasSubstr("pattern"));
  EXPECT_NE(Complaint(*schema, '"' + longest + "a\""), "");
}

TEST(SchemaValidator, TakesLongStringsWhereThereIsNone) {
  const auto schema = Schema(R"({"type": "string", "maxLength": 60000})");

  EXPECT_EQ(Complaint(*schema, '"' + std::string(50'000, 'a') + '"'), "");
}

// Each object costs a compiled expression, each pair of items a comparison.
TEST(SchemaValidator, RefusesManyValuesWhereEachIsDear) {
  const std::string objects = "[" + Repeat("{},", 5'000) + "{}]";

  for (const char* schema :
       {R"({"items": {"patternProperties": {"^a": {"type": "string"}}}})",
        R"({"uniqueItems": true})"}) {
    EXPECT_THAT(Complaint(*Schema(schema), objects), HasSubstr("4096"))
        << schema;
  }
}

// valijson would keep two messages an item: a hundred times the data.
TEST(SchemaValidator, ExplainsNothingWhereExplainingWouldOutweighTheData) {
  const auto schema = Schema(R"({"items": {"type": "string"}})");
  const std::string numbers = "[" + Repeat("1,", 400'000) + "1]";

  EXPECT_EQ(Complaint(*schema, numbers), "the data does not fit the schema");
}

TEST(SchemaValidator, CutsWhatItQuotes) {
  const auto schema = Schema(R"({"additionalProperties": false})");
  const std::string name = Repeat("\xC3\xA9", 5'000);

  const std::string complaint = Complaint(*schema, R"({")" + name + R"(":1})");

  EXPECT_LT(complaint.size(), 700U);
  EXPECT_THAT(complaint, HasSubstr("\xC3\xA9..."));
}

TEST(SchemaValidator, ServesManyThreads) {
  const auto schema = Schema(R"({"items": {"pattern": "^a+$"}})");

  std::vector<std::jthread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&schema] {
      for (int turn = 0; turn < 50; ++turn) {
        EXPECT_EQ(Complaint(*schema, R"(["a","aa"])"), "");
        EXPECT_THAT(Complaint(*schema, R"(["a","b"])"), HasSubstr("'/1'"));
      }
    });
  }
}

constexpr std::string_view kNumber = R"({"type": "number"})";

TEST(SchemaChecked, RejectsBeforeTheFunction) {
  int calls = 0;
  const auto handler = MakeSchemaChecked(
      MakeHandler([&calls](const Event&) { ++calls; }), Schema(kNumber));

  const Outcome bad = CallSingle(*handler, EventWith(JsonText("\"x\"")));
  const Outcome good = CallSingle(*handler, EventWith(JsonText("1")));

  EXPECT_EQ(bad.kind(), Outcome::Kind::kReject);
  EXPECT_THAT(bad.reason(), HasSubstr("does not fit the schema at ''"));
  EXPECT_EQ(good.kind(), Outcome::Kind::kDone);
  EXPECT_EQ(calls, 1);
}

TEST(SchemaChecked, FinishesAnAsynchronousCall) {
  const auto handler = MakeSchemaChecked(
      MakeHandler([](const Event&, Completion done) { done.Finish(Done()); }),
      Schema(kNumber));

  EXPECT_EQ(handler->form(), Handler::Form::kAsync);
  EXPECT_EQ(CallAsync(*handler, EventWith(JsonText("{}"))).value().kind(),
            Outcome::Kind::kReject);
  EXPECT_EQ(CallAsync(*handler, EventWith(JsonText("1"))).value().kind(),
            Outcome::Kind::kDone);
}

TEST(SchemaChecked, LeavesTheOthersOfABatchAlone) {
  const std::vector<Event> events{EventWith(JsonText("1"), "t", "a"),
                                  EventWith(JsonText("{}"), "t", "b"),
                                  EventWith(JsonText("3"), "t", "c")};
  const auto handler =
      MakeSchemaChecked(MakeHandler([](std::span<const Event> batch) {
                          std::vector<Outcome> answers;
                          for (const Event& event : batch) {
                            answers.push_back(Retry(std::string(event.id())));
                          }
                          return answers;
                        }),
                        Schema(kNumber));

  const std::vector<Outcome> answers = CallBatch(*handler, events);

  ASSERT_EQ(answers.size(), 3U);
  EXPECT_EQ(answers[0].reason(), "a");
  EXPECT_EQ(answers[1].kind(), Outcome::Kind::kReject);
  EXPECT_EQ(answers[2].reason(), "c");
}

TEST(SchemaChecked, DoesNotCallForABatchWithoutAnyThatFits) {
  const std::vector<Event> events{EventWith(JsonText("{}"))};
  const auto handler = MakeSchemaChecked(
      MakeHandler([](std::span<const Event>) { FAIL() << "called"; }),
      Schema(kNumber));

  EXPECT_EQ(CallBatch(*handler, events).at(0).kind(), Outcome::Kind::kReject);
}

// 3 answers for 2 calls are wrong, though 3 events came.
TEST(SchemaChecked, DoesNotTakeAWrongCountForARightOne) {
  const std::vector<Event> events{EventWith(JsonText("1")),
                                  EventWith(JsonText("{}")),
                                  EventWith(JsonText("3"))};
  const auto handler =
      MakeSchemaChecked(MakeHandler([](std::span<const Event>) {
                          return std::vector<Outcome>(3);
                        }),
                        Schema(kNumber));

  EXPECT_NE(CallBatch(*handler, events).size(), events.size());
}

}  // namespace
}  // namespace cirro
