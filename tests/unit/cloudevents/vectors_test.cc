// The vectors that other projects and the specification's own documents hold,
// read where they lie; without them the tests say that they were skipped.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cirro/cloudevents/json_format.h"
#include "cirro/cloudevents/media_type.h"
#include "support/event_fixtures.h"
#include "support/spec_data.h"

namespace cirro {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

std::optional<std::string> ReadFile(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

std::optional<Json> ReadJson(const fs::path& path) {
  const auto text = ReadFile(path);
  if (!text) return std::nullopt;
  Json json = Json::parse(*text, nullptr, false);
  EXPECT_FALSE(json.is_discarded()) << path;
  return json;
}

std::string FromBase64(const std::string& text) {
  return *Attribute{"", text, AttributeType::kBinary}.AsBinary();
}

DecodeOptions Strict() {
  DecodeOptions options;
  options.strict = true;
  return options;
}

// How each vector that peers dispute is settled: docs/conformance.md.
const std::set<std::string>& RefusedDisputed() {
  static const std::set<std::string> kNames = {
      "source-disputed :colon-start",
      "source-disputed [open-bracket-start",
      "source-disputed ]close-bracket-start",
      "json-nonascii-ext latin1",
      "json-null-data",
      "java-isjson application/json; charset = \"utf-8\"",
  };
  return kNames;
}

void ExpectAttributes(const Event& event, const Json& attributes) {
  for (const auto& [name, value] : attributes.items()) {
    const auto attribute = event.attribute(name);
    if (value.is_null()) {
      EXPECT_FALSE(attribute) << name;
      continue;
    }
    ASSERT_TRUE(attribute) << name;
    if (value.is_boolean()) {
      EXPECT_EQ(attribute->AsBoolean(), value.get<bool>()) << name;
    } else if (value.is_number()) {
      EXPECT_EQ(attribute->AsInteger(), value.get<int>()) << name;
    } else {
      EXPECT_EQ(attribute->text, value.get<std::string>()) << name;
    }
  }
  for (std::size_t i = 0; i < event.attribute_count(); ++i) {
    const std::string name(event.attribute_at(i).name);
    // The type that the format implies is explicit here.
    if (name == "datacontenttype") continue;
    EXPECT_TRUE(attributes.contains(name)) << name;
  }
}

void ExpectData(const Event& event, const Json& data) {
  if (data.is_null()) {
    EXPECT_FALSE(event.has_data());
    return;
  }
  const std::string kind = data.at("kind");
  const std::string bytes(event.data());
  if (kind == "json") {
    EXPECT_EQ(event.data_kind(), DataKind::kJson);
    EXPECT_EQ(Json::parse(bytes, nullptr, false), data.at("value"));
  } else if (kind == "json-text") {
    EXPECT_EQ(event.data_kind(), DataKind::kJson);
    EXPECT_EQ(bytes, data.at("value").get<std::string>());
  } else if (kind == "text") {
    EXPECT_EQ(event.data_kind(), DataKind::kText);
    EXPECT_EQ(bytes, data.at("value").get<std::string>());
  } else {
    EXPECT_EQ(kind, "bytes");
    EXPECT_EQ(bytes, FromBase64(data.at("base64")));
  }
}

void ExpectWritesBack(const Event& event) {
  const auto again = DecodeJson(EncodeJson(event), Strict());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, event);
}

std::string MediaTypeOf(const Json& vector) {
  for (const auto& [name, value] : vector.at("headers").items()) {
    if (EqualsIgnoreCase(name, "content-type")) {
      return std::string(MediaTypeEssence(value.get<std::string>()));
    }
  }
  return {};
}

std::string BodyOf(const Json& vector) {
  if (!vector.at("body").is_string()) return {};
  const std::string body = vector.at("body");
  return vector.value("body_encoding", "") == "base64" ? FromBase64(body)
                                                       : body;
}

TEST(PeerVectors, OfTheJsonFormatHoldInStrictMode) {
  const auto vectors = ReadJson(test::ConformanceData() / "peer-vectors.json");
  if (!vectors)
    GTEST_SKIP() << "no peer-vectors.json in " << test::ConformanceData();
  int count = 0;
  for (const Json& vector : *vectors) {
    const std::string mode = vector.at("mode");
    const std::string expect = vector.at("expect");
    const std::string name = vector.at("name");
    // By any transport; whether it is in this format is the codec's question.
    if (mode.find("structured") == std::string::npos ||
        !EqualsIgnoreCase(MediaTypeOf(vector), kJsonMediaType)) {
      continue;
    }
    SCOPED_TRACE(name);
    ++count;
    const auto event = DecodeJson(BodyOf(vector), Strict());
    const bool valid = expect == "valid" || (expect == "disputed" &&
                                             !RefusedDisputed().contains(name));
    ASSERT_EQ(event.has_value(), valid)
        << vector.dump(1) << (event ? "" : event.error().message);
    if (!event) {
      EXPECT_EQ(event.error().code, ErrorCode::kInvalidEvent);
      EXPECT_FALSE(event.error().rules.empty());
      continue;
    }
    if (vector.contains("attributes")) {
      ExpectAttributes(*event, vector["attributes"]);
    }
    if (vector.contains("data")) ExpectData(*event, vector["data"]);
    ExpectWritesBack(*event);
  }
  std::cout << count << " vectors of the JSON format\n";
  EXPECT_GT(count, 200);
}

TEST(PeerVectors, OfTheBatchFormatHoldInStrictMode) {
  const auto vectors = ReadJson(test::ConformanceData() / "peer-vectors.json");
  if (!vectors)
    GTEST_SKIP() << "no peer-vectors.json in " << test::ConformanceData();
  int count = 0;
  for (const Json& vector : *vectors) {
    if (vector.at("mode") != "http-batch" ||
        !EqualsIgnoreCase(MediaTypeOf(vector), kJsonBatchMediaType)) {
      continue;
    }
    SCOPED_TRACE(vector.at("name").get<std::string>());
    ++count;
    const auto batch = DecodeJsonBatch(BodyOf(vector), Strict());
    bool valid = batch.has_value();
    for (std::size_t i = 0; valid && i < batch->size(); ++i) {
      valid = (*batch)[i].has_value();
    }
    ASSERT_EQ(valid, vector.at("expect") == "valid");
    if (!valid || !vector.contains("events")) continue;
    const Json& events = vector.at("events");
    ASSERT_EQ(batch->size(), events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
      ExpectAttributes(*(*batch)[i], events[i].at("attributes"));
      if (events[i].contains("data")) {
        ExpectData(*(*batch)[i], events[i]["data"]);
      }
    }
  }
  std::cout << count << " vectors of the batch format\n";
  EXPECT_GT(count, 8);
}

TEST(SpecExamples, AreDecoded) {
  const auto examples =
      ReadJson(test::ConformanceData() / "spec/spec-examples.json");
  if (!examples)
    GTEST_SKIP() << "no spec-examples.json in " << test::ConformanceData();
  int count = 0;
  const auto check = [&count](const Json& json, bool complete) {
    ++count;
    // "... base64 encoded string ..." stands for one in the documents.
    const std::string placeholder = "... base64 encoded string ...";
    std::string text = json.dump();
    const auto at = text.find(placeholder);
    if (at != std::string::npos) text.replace(at, placeholder.size(), "AQID");
    const auto event = DecodeJson(text, Strict());
    EXPECT_EQ(event.has_value(), complete)
        << text << (event ? "" : event.error().message);
    if (event) ExpectWritesBack(*event);
  };
  for (const Json& example : examples->at("json_examples")) {
    SCOPED_TRACE(example.at("file").get<std::string>());
    if (example.at("kind") == "batch") {
      for (const Json& member : example.at("batch")) {
        check(member, example.at("complete"));
      }
    } else {
      // Three examples of one document have the empty subject that rule 20,
      // the core specification's own, forbids.
      const Json& event = example.at("event");
      check(event,
            example.at("complete") && event.value("subject", Json()) != "");
    }
  }
  EXPECT_GT(count, 20);
}

// Whole events that other projects publish as examples.
TEST(PublishedEvents, AreDecoded) {
  int count = 0;
  for (const char* const folder :
       {"google-cloudevents/structured", "functions-framework/events"}) {
    if (!fs::exists(test::ConformanceData() / folder)) {
      GTEST_SKIP() << "no " << folder << " in " << test::ConformanceData();
    }
    for (const auto& entry :
         fs::recursive_directory_iterator(test::ConformanceData() / folder)) {
      if (entry.path().extension() != ".json") continue;
      const auto json = ReadJson(entry.path());
      ASSERT_TRUE(json);
      if (!json->is_object() || !json->contains("specversion")) continue;
      SCOPED_TRACE(entry.path().string());
      ++count;
      const auto event = DecodeJson(*ReadFile(entry.path()), Strict());
      // Its extensions are called methodName and the like, against rule 1.
      if (entry.path().filename() == "LogEntryData-bigqueryjobcompleted.json") {
        ASSERT_FALSE(event);
        EXPECT_EQ(event.error().rules, std::vector<int>{1});
        continue;
      }
      ASSERT_TRUE(event) << event.error().message;
      EXPECT_EQ(event->id(), json->at("id").get<std::string>());
      ExpectWritesBack(*event);
    }
  }
  std::cout << count << " published events\n";
  EXPECT_GT(count, 10);
}

}  // namespace
}  // namespace cirro
