// The CloudEvents project's and its SDKs' own cases over HTTP, in strict:
// peer-vectors.json, the Functions Framework's events, the Gherkin feature.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "cirro/http/codec.h"
#include "support/http_decode.h"
#include "support/spec_data.h"

namespace cirro {
namespace {

using nlohmann::json;
using test::DecodeHttp;
using test::ErrorOf;

const std::string kData = test::ConformanceData();

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Each case's own answer where the SDKs disagree; docs/conformance.md says why.
enum class Decided { kTaken, kInvalid, kUnsupported };
const std::map<std::string, Decided, std::less<>> kDecisions = {
    {"time-disputed 2021-01-18T14:52:01+14:01", Decided::kTaken},
    {"time-disputed 2021-01-18T14:52:01-14:01", Decided::kTaken},
    {"time-disputed space-for-T", Decided::kInvalid},
    {"time-disputed 1990-12-31T23:59Z", Decided::kInvalid},
    {"time-disputed 1990-12-31T15:59-08:00", Decided::kInvalid},
    {"source-disputed :colon-start", Decided::kInvalid},
    {"source-disputed [open-bracket-start", Decided::kInvalid},
    {"source-disputed ]close-bracket-start", Decided::kInvalid},
    {"json-nonascii-ext latin1", Decided::kInvalid},
    {"json-null-data", Decided::kInvalid},
    {"detect-ct application/cloudeventstrailing", Decided::kUnsupported},
    {"detect-ct application/cloudevents-batchtrailing", Decided::kUnsupported},
    {"java-isjson application/json; charset = \"utf-8\"", Decided::kInvalid},
    {"java-notjson applications/json", Decided::kTaken},
    {"java-notjson test/json", Decided::kTaken},
    {"go-disputed-blank-subject", Decided::kTaken},
    {"js-http-bad-ext", Decided::kInvalid},
};

// The event formats that are not spoken yet.
bool IsOtherFormat(std::string_view content_type) {
  return content_type == "application/cloudevents+xml" ||
         content_type == "application/cloudevents+protobuf";
}

std::string FromBase64(std::string_view text) {
  const Attribute attribute{"x", text, AttributeType::kBinary};
  return attribute.AsBinary().value();
}

DecodeOptions Strict(const json& vector) {
  DecodeOptions options;
  options.strict = true;
  if (vector.value("authority", "") == "declared-type") {
    options.extension_types = {{"myint", AttributeType::kInteger},
                               {"mybool", AttributeType::kBoolean},
                               {"mybin", AttributeType::kBinary},
                               {"myuri", AttributeType::kUri},
                               {"myref", AttributeType::kUriReference}};
  }
  return options;
}

void ExpectAttributes(const Event& event, const json& expected) {
  for (const auto& [name, value] : expected.items()) {
    const auto attribute = event.attribute(name);
    ASSERT_TRUE(attribute.has_value()) << name;
    if (name == "time") {  // An SDK that reads it may write it otherwise.
      EXPECT_EQ(*attribute->AsTimestamp(),
                *ParseTimestamp(value.get<std::string>()));
      continue;
    }
    EXPECT_EQ(attribute->text,
              value.is_string() ? value.get<std::string>() : value.dump())
        << name;
  }
  EXPECT_EQ(event.attribute_count(), expected.size());
}

void ExpectData(const Event& event, const json& expected) {
  if (expected.is_null()) return;  // Not said, or none.
  const std::string kind = expected["kind"];
  if (kind == "json") {
    EXPECT_EQ(event.data_kind(), DataKind::kJson);
    EXPECT_EQ(json::parse(event.data(), nullptr, false), expected["value"]);
  } else if (kind == "json-text") {
    EXPECT_EQ(event.data_kind(), DataKind::kJson);
    EXPECT_EQ(event.data(), expected["value"].get<std::string>());
  } else if (kind == "text") {
    EXPECT_EQ(event.data(), expected["value"].get<std::string>());
  } else {
    ASSERT_EQ(kind, "bytes");
    EXPECT_EQ(event.data(), FromBase64(expected["base64"].get<std::string>()));
  }
}

// What was taken can be sent on, in each mode, and is the same.
void ExpectRoundTrip(const Event& event, const DecodeOptions& options) {
  for (const ContentMode mode :
       {ContentMode::kBinary, ContentMode::kStructured}) {
    // A transport without types cannot know the type of an extension.
    if (mode == ContentMode::kBinary) {
      bool typed = false;
      for (std::size_t i = 0; i < event.attribute_count(); ++i) {
        const Attribute attribute = event.attribute_at(i);
        typed = typed || (event.extension(attribute.name) &&
                          attribute.type != AttributeType::kString);
      }
      // Nor data of zero bytes from none.
      if (typed || (event.has_data() && event.data().empty())) continue;
    }
    std::string lines;
    std::string buffer;
    const std::string_view body = EncodeHttp(mode, event, lines, buffer);
    const HttpContent back =
        DecodeHttp(test::SplitHeaderLines(lines), body, options);
    ASSERT_TRUE(std::holds_alternative<Event>(back.value))
        << ErrorOf(back).message;
    EXPECT_EQ(std::get<Event>(back.value), event);
  }
}

class HttpVector : public ::testing::TestWithParam<json> {
 protected:
  HttpVector() {
    for (const auto& [name, value] : GetParam()["headers"].items()) {
      headers_.emplace_back(name, value.get<std::string>());
    }
    for (const auto& [name, value] : headers_) {
      views_.push_back({name, value});
      if (EqualsContentType(name)) content_type_ = value;
    }
    if (GetParam()["body"].is_string()) {
      body_ = GetParam()["body"].get<std::string>();
      if (GetParam().value("body_encoding", "") == "base64") {
        body_ = FromBase64(body_);
      }
    }
  }

  static bool EqualsContentType(std::string_view name) {
    return name == "content-type" || name == "Content-Type" ||
           name == "Content-type";
  }

  std::vector<std::pair<std::string, std::string>> headers_;
  std::vector<HttpHeader> views_;
  std::string content_type_;
  std::string body_;
};

TEST_P(HttpVector, IsTakenAsItSays) {
  const json& vector = GetParam();
  const std::string name = vector["name"];
  SCOPED_TRACE(name);
  if (IsOtherFormat(content_type_)) {
    GTEST_SKIP() << "format not spoken yet: " << content_type_;
  }
  const DecodeOptions options = Strict(vector);

  const HttpContent content = DecodeHttp(views_, body_, options);

  const std::string expect = vector["expect"];
  if (expect == "disputed") {
    const auto decision = kDecisions.find(name);
    ASSERT_NE(decision, kDecisions.end()) << "no decision is written down";
    switch (decision->second) {
      case Decided::kTaken:
        EXPECT_TRUE(std::holds_alternative<Event>(content.value))
            << ErrorOf(content).message;
        break;
      case Decided::kInvalid:
        EXPECT_EQ(ErrorOf(content).code, ErrorCode::kInvalidEvent);
        break;
      case Decided::kUnsupported:
        EXPECT_EQ(ErrorOf(content).code, ErrorCode::kUnsupported);
        break;
    }
  } else if (expect == "not-cloudevent") {
    EXPECT_EQ(content.mode, ContentMode::kNone);
    EXPECT_EQ(ErrorOf(content).code, ErrorCode::kUnsupported);
  } else if (expect == "invalid") {
    if (const auto* const members =
            std::get_if<std::vector<Result<Event>>>(&content.value)) {
      EXPECT_THAT(*members, ::testing::Contains(::testing::Truly(
                                [](const auto& member) { return !member; })));
    } else {
      const ErrorCode code = ErrorOf(content).code;
      EXPECT_TRUE(code == ErrorCode::kInvalidEvent ||
                  (code == ErrorCode::kUnsupported &&
                   content.mode != ContentMode::kNone))
          << ErrorOf(content).message;
    }
  } else if (vector.contains("events")) {
    const auto* const members =
        std::get_if<std::vector<Result<Event>>>(&content.value);
    ASSERT_NE(members, nullptr) << ErrorOf(content).message;
    ASSERT_EQ(members->size(), vector["events"].size());
    for (std::size_t i = 0; i < members->size(); ++i) {
      ASSERT_TRUE((*members)[i]) << (*members)[i].error().message;
      ExpectAttributes(*(*members)[i], vector["events"][i]["attributes"]);
      ExpectData(*(*members)[i], vector["events"][i]["data"]);
    }
  } else {
    ASSERT_EQ(expect, "valid");
    ASSERT_TRUE(std::holds_alternative<Event>(content.value))
        << ErrorOf(content).message;
    const Event& event = std::get<Event>(content.value);
    if (vector.contains("attributes")) {
      ExpectAttributes(event, vector["attributes"]);
    }
    if (vector.contains("data")) ExpectData(event, vector["data"]);
    ExpectRoundTrip(event, options);
    if (vector.value("notes", "").starts_with("also the canonical encoding")) {
      std::string lines;
      AppendBinaryHeaders(event, lines);
      EXPECT_THAT(
          lines,
          ::testing::HasSubstr(
              "ce-subject: " +
              vector["headers"]["ce-subject"].get<std::string>() + "\r\n"));
    }
  }
}

std::vector<json> HttpVectors() {
  const json all =
      json::parse(ReadFile(kData + "/peer-vectors.json"), nullptr, false);
  std::vector<json> vectors;
  if (!all.is_array()) return vectors;
  for (const json& vector : all) {
    if (vector["mode"].get<std::string>().starts_with("http-")) {
      vectors.push_back(vector);
    }
  }
  return vectors;
}

std::string VectorName(const ::testing::TestParamInfo<json>& vector) {
  std::string name = std::to_string(vector.index) + "_";
  for (const char c : vector.param["name"].get<std::string>()) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c >= '0' && c <= '9');
    name += plain ? c : '_';
  }
  return name;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(HttpVector);
INSTANTIATE_TEST_SUITE_P(Peers, HttpVector, ::testing::ValuesIn(HttpVectors()),
                         VectorName);

TEST(HttpVectors, AreThere) {
  if (!std::ifstream(kData + "/peer-vectors.json")) {
    GTEST_SKIP() << "no conformance data in " << kData;
  }
  EXPECT_GT(HttpVectors().size(), 400U);
}

// Whether `value` has all that `part` has; the cases leave members out.
bool Holds(const json& value, const json& part) {
  if (!part.is_object()) return value == part;
  return value.is_object() &&
         std::all_of(part.items().begin(), part.items().end(),
                     [&](const auto& member) {
                       return value.contains(member.key()) &&
                              Holds(value[member.key()], member.value());
                     });
}

TEST(FunctionsFramework, EventsAreTakenAndGivenBack) {
  const std::string folder = kData + "/functions-framework/events/";
  if (!std::ifstream(folder + "storage-cloudevent-input.json")) {
    GTEST_SKIP() << "no conformance data in " << kData;
  }
  for (const std::string name :
       {"firebase-auth", "firebase-db1", "firebase-db2", "firebase-db3",
        "firebase-db4", "firebase-db5", "firebase-db6", "firebase-db7",
        "firebase-db8", "firebase-dbdelete1", "firebase-dbdelete2",
        "firestore_complex", "firestore_simple", "legacy_pubsub",
        "pubsub_binary", "pubsub_text", "storage"}) {
    SCOPED_TRACE(name);
    const std::string input =
        ReadFile(folder + name + "-cloudevent-input.json");
    const json output =
        json::parse(ReadFile(folder + name + "-cloudevent-output.json"));
    const DecodeOptions strict{.strict = true};

    const HttpContent content = DecodeHttp(
        {{"content-type", "application/cloudevents+json"}}, input, strict);

    ASSERT_TRUE(std::holds_alternative<Event>(content.value))
        << ErrorOf(content).message;
    const Event& event = std::get<Event>(content.value);
    const json seen = json::parse(EncodeJson(event));
    for (const char* const key : {"id", "source", "subject", "type", "time",
                                  "datacontenttype", "data"}) {
      EXPECT_TRUE(Holds(seen.value(key, json()), output.value(key, json())))
          << key << ": " << seen.value(key, json());
    }
    ExpectRoundTrip(event, strict);
  }
}

// The text between the `index`th pair of """ lines, without their indent.
std::string DocString(const std::string& scenario, std::size_t index) {
  std::istringstream lines(scenario);
  std::string text;
  std::size_t quotes = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t indent = line.find_first_not_of(' ');
    if (indent != std::string::npos && line.substr(indent) == "\"\"\"") {
      ++quotes;
    } else if (quotes == 2 * index + 1) {
      text += (line.size() > 8 ? line.substr(8) : "") + "\n";
    }
  }
  return text;
}

// The rows of the table after the line that contains `title`.
std::vector<std::vector<std::string>> Table(const std::string& scenario,
                                            const std::string& title) {
  std::istringstream lines(scenario.substr(scenario.find(title)));
  std::vector<std::vector<std::string>> rows;
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line) && line.find('|') != std::string::npos) {
    std::istringstream cells(line.substr(line.find('|') + 1));
    std::vector<std::string> row;
    for (std::string cell; std::getline(cells, cell, '|');) {
      const std::size_t begin = cell.find_first_not_of(' ');
      if (begin == std::string::npos) continue;
      row.push_back(cell.substr(begin, cell.find_last_not_of(' ') + 1 - begin));
    }
    rows.push_back(row);
  }
  rows.erase(rows.begin());  // The heading.
  return rows;
}

TEST(Gherkin, HttpProtocolBindingFeature) {
  const std::string feature = ReadFile(
      kData +
      "/cloudevents-conformance/features/http-protocol-binding.feature");
  if (feature.empty()) GTEST_SKIP() << "no conformance data in " << kData;
  int cases = 0;
  for (std::size_t at = feature.find("Scenario Outline");
       at != std::string::npos;) {
    const std::size_t next = feature.find("Scenario Outline", at + 1);
    const std::string outline = feature.substr(at, next - at);
    at = next;
    for (const auto& example : Table(outline, "Examples:")) {
      std::string scenario = outline;
      const std::string placeholder = "<contentType>";
      for (std::size_t p = scenario.find(placeholder); p != std::string::npos;
           p = scenario.find(placeholder)) {
        scenario.replace(p, placeholder.size(), example[0]);
      }
      SCOPED_TRACE(example[0]);
      const std::string request = DocString(scenario, 0);
      const std::size_t end = request.find("\n\n");
      std::vector<HttpHeader> headers;
      for (std::size_t line = request.find('\n') + 1; line < end;) {
        const std::size_t line_end = request.find('\n', line);
        const std::string_view text =
            std::string_view(request).substr(line, line_end - line);
        const std::size_t colon = text.find(':');
        headers.push_back({text.substr(0, colon), text.substr(colon + 1)});
        line = line_end + 1;
      }

      const HttpContent content =
          DecodeHttp(headers, request.substr(end + 2), {.strict = true});

      ASSERT_TRUE(std::holds_alternative<Event>(content.value))
          << ErrorOf(content).message;
      const Event& event = std::get<Event>(content.value);
      for (const auto& row : Table(scenario, "the attributes are:")) {
        ASSERT_TRUE(event.attribute(row[0]).has_value()) << row[0];
        EXPECT_EQ(event.attribute(row[0])->text, row[1]);
      }
      EXPECT_EQ(json::parse(event.data()), json::parse(DocString(scenario, 1)));
      ++cases;
    }
  }
  EXPECT_EQ(cases, 4);
}

}  // namespace
}  // namespace cirro
