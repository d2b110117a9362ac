#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cirro/cloudevents/decode_options.h"
#include "cirro/cloudevents/event_builder.h"

namespace cirro::test {

/// The event of a builder that cannot fail; ends the test program otherwise.
inline Event MustBuild(const EventBuilder& builder) {
  auto event = builder.Build();
  if (!event) {
    std::cerr << "fixture: " << event.error().message << '\n';
    std::abort();
  }
  return *std::move(event);
}

/// Nothing but what is required.
inline Event MinEvent() {
  return MustBuild(
      EventBuilder().id("min-1").source("/min").type("com.example.min"));
}

/// Every core attribute, an extension of each type, and JSON data.
inline Event FullEvent() {
  return MustBuild(
      EventBuilder()
          .id("A234-1234-1234")
          .source("https://example.com/orders?shop=7#till")
          .type("com.example.order.placed")
          .subject("orders/1009")
          .dataschema("https://example.com/schemas/order.json#v2")
          .time("2018-04-05T17:31:00.123456789+02:00")
          .extension({"extbool", true})
          .extension({"extint", -2147483647})
          .extension({"extstring", "a \"quoted\" 100% \xE2\x82\xAC \\ value"})
          .extension({"extbinary", AttributeType::kBinary, "AP+A/w=="})
          .extension({"exturi", AttributeType::kUri, "urn:isbn:0451450523"})
          .extension({"extref", AttributeType::kUriReference, "../a?b#c"})
          .extension(
              {"exttime", AttributeType::kTimestamp, "1985-04-12T23:20:50Z"})
          .data(JsonText(
              R"({"id":1009,"total":129.95,"note":"l\u00e4uft \"so\""})")));
}

/// Options that declare the type of each extension which FullEvent and
/// EventGenerator use, so that a transport without types gives it back.
inline DecodeOptions FixtureOptions() {
  DecodeOptions options;
  options.strict = true;
  for (const char* const digit : {"", "0", "1", "2", "3"}) {
    const auto declare = [&options, digit](std::string name,
                                           AttributeType type) {
      options.extension_types[name + digit] = type;
    };
    declare("extbool", AttributeType::kBoolean);
    declare("extint", AttributeType::kInteger);
    declare("extstring", AttributeType::kString);
    declare("extbinary", AttributeType::kBinary);
    declare("exturi", AttributeType::kUri);
    declare("extref", AttributeType::kUriReference);
    declare("exttime", AttributeType::kTimestamp);
  }
  return options;
}

/// Makes valid events that are hard on codecs: every attribute type, hostile
/// text, media types with hostile parameters, and data of each kind, also such
/// that is not what its media type says. The same seed gives the same events.
/// Decoded with FixtureOptions, each comes back equal from any format. JSON has
/// no white space around it.
class EventGenerator {
 public:
  explicit EventGenerator(std::uint64_t seed) : random_(seed) {}

  /// With data of one byte or more, or without.
  Event Next() {
    EventBuilder builder = WithoutData();
    AddData(builder);
    return MustBuild(builder);
  }

  /// With data of zero bytes, which binary mode over HTTP cannot tell from none
  /// and the JSON formats can.
  Event NextWithEmptyData() {
    EventBuilder builder = WithoutData();
    switch (Below(4)) {
      case 0:
        builder.data(Text("", MediaType(kTextTypes)));
        break;
      case 1:
        builder.data(Binary("", MediaType(kOtherTypes)));
        break;
      case 2:  // Says JSON, and is none.
        builder.data({{}, DataKind::kBinary, MediaType(kJsonTypes)});
        break;
      default:  // Without a type.
        builder.data({{}, DataKind::kBinary, {}});
    }
    return MustBuild(builder);
  }

  /// Any text that a String attribute may have.
  std::string String() {
    std::string text;
    for (std::size_t pieces = Below(6); pieces > 0; --pieces) {
      text += Pick(kPieces);
    }
    return text;
  }

 private:
  static constexpr std::array<std::string_view, 24> kPieces = {
      " ",
      "a",
      "Z9",
      "%",
      "%41",
      "%zz",
      "\"",
      "\\",
      "\\\"",
      "\\u0041",
      "'",
      ",",
      ";=",
      "\xC2\xA0",
      "\xC3\xA4",
      "\xDF\xBF",
      "\xE2\x82\xAC",
      "\xEF\xBF\xBD",
      "\xF0\x9F\x98\x80",
      "\xF4\x8F\xBF\xBD",
      "</script>",
      "null",
      "{\"id\":[]}",
      "abcdefghijklmnopqrstuvwxyz0123456789",
  };
  static constexpr std::array<std::string_view, 10> kUris = {
      "https://example.com",
      "http://user:pa%20ss@[2001:db8::7]:8080/a;b=c/d?e=f&g#h",
      "http://[v1.fe:80]/",
      "http://192.0.2.16:80/",
      "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
      "mailto:cncf-wg-serverless@lists.cncf.io",
      "ldap://[::ffff:192.0.2.1]/c=GB?objectClass?one",
      "a+b-c.d:",
      "file:///etc/hosts",
      "tag:%E2%82%AC,%25",
  };
  static constexpr std::array<std::string_view, 8> kReferences = {
      "/",         "//authority/path", "../a/./b", "?query",
      "#fragment", "1-555-123-4567",   "a/b:c",    "/a%20b'(*)!$&,;=@~_",
  };
  static constexpr std::array<std::string_view, 16> kJson = {
      "null",
      "true",
      "0",
      "-0.0e+0",
      "1524831183200260097",
      "123456789012345678901234567890.123e-400",
      R"("")",
      R"("\u0000\ud83d\ude00\/")",
      "\"\xE2\x82\xAC \xF4\x8F\xBF\xBF \x7F\"",
      "{}",
      "[]",
      R"({"a":{"b":[1,[2,[3]]]},"a":2})",
      "[ 1 ,\n\t2 ]",
      R"({"specversion":"0.1","data":{"data_base64":"x"}})",
      R"(["]}",{"\"":"\\"}])",
      R"([[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]])",
  };
  static constexpr std::array<std::string_view, 5> kJsonTypes = {
      "application/json", "application/vnd.example+json; charset=utf-8",
      "text/json", "Application/JSON;a=\"b;c\\\"d\"", "image/svg+json"};
  static constexpr std::array<std::string_view, 4> kTextTypes = {
      "text/plain", "text/plain; charset=utf-8", "application/xml",
      "image/svg+xml"};
  // Of a quoted string; what is no character of a token must be in one.
  static constexpr std::array<std::string_view, 18> kQuoted = {
      " ",
      "a",
      "\\\"",
      "\\\\",
      "\\a",
      "\\ ",
      ";",
      ",",
      "=",
      "/",
      "()<>@:",
      "[]?{}",
      "%41%zz",
      "%",
      "'",
      "~",
      "charset=utf-16",
      "\\\";b=\\\"c",
  };
  static constexpr std::array<std::string_view, 4> kOtherTypes = {
      "application/octet-stream", "image/png", "text/plain;charset=iso-8859-1",
      "application/vnd.apache.thrift.binary"};

  std::size_t Below(std::size_t bound) {
    return static_cast<std::size_t>(random_() % bound);
  }
  bool Chance(std::size_t one_in) { return Below(one_in) == 0; }

  template <typename Choices>
  std::string Pick(const Choices& choices) {
    return std::string(choices[Below(choices.size())]);
  }

  std::string NonEmptyString() {
    const std::string text = String();
    return text.empty() ? "x" : text;
  }
  // One of `choices` with more parameters behind it, in every spelling that is
  // a media type.
  template <typename Choices>
  std::string MediaType(const Choices& choices) {
    std::string type = Pick(choices);
    for (std::size_t more = Below(4); more > 0; --more) {
      type.append(Below(3), ' ') += ';';
      type.append(Below(3), ' ') += Chance(2) ? "x" : "!#$%&'*+-.^_`|~9Z";
      type += std::to_string(more) + "=";
      if (Chance(3)) {
        type += "!#$%&'*+-.^_`|~aZ0%20";
        continue;
      }
      type += '"';
      for (std::size_t pieces = Below(6); pieces > 0; --pieces) {
        type += Pick(kQuoted);
      }
      type += '"';
    }
    return type;
  }

  std::string Uri() { return Pick(kUris); }
  std::string Reference() { return Chance(2) ? Uri() : Pick(kReferences); }

  std::string Time() {
    Timestamp time;
    // Years 0001 to 9998, so that no offset leads out of 0000 to 9999.
    time.seconds =
        static_cast<std::int64_t>(random_() % 315'471'024'000) - 62'104'060'800;
    time.nanoseconds =
        Chance(2) ? 0 : static_cast<std::uint32_t>(Below(1'000'000'000));
    time.offset_minutes = static_cast<std::int16_t>(
        Chance(2) ? 0 : static_cast<int>(Below(2'879)) - 1'439);
    std::string text = FormatTimestamp(time);
    // More digits than a typed value has are the producer's own, too.
    if (Chance(4) && text.find('.') == std::string::npos) {
      text.insert(19, ".00010203040506070809");
    }
    return text;
  }

  std::string Bytes() {
    std::string bytes(1 + Below(40), '\0');
    for (char& byte : bytes) byte = static_cast<char>(Below(256));
    return bytes;
  }

  EventBuilder WithoutData() {
    EventBuilder builder;
    builder.id(NonEmptyString()).source(Reference()).type(NonEmptyString());
    if (Chance(2)) builder.subject(NonEmptyString());
    if (Chance(2)) builder.dataschema(Uri());
    if (Chance(2)) builder.time(Time());
    AddExtensions(builder);
    return builder;
  }

  void AddExtensions(EventBuilder& builder) {
    for (std::size_t i = 0; i < 4; ++i) {
      const auto name = [i](std::string stem) {
        return stem + std::to_string(i);
      };
      if (Chance(3)) builder.extension({name("extbool"), Chance(2)});
      if (Chance(3)) {
        builder.extension(
            {name("extint"),
             static_cast<std::int32_t>(static_cast<std::uint32_t>(random_()))});
      }
      if (Chance(3)) builder.extension({name("extstring"), String()});
      if (Chance(3)) {
        const std::string bytes = Chance(8) ? "" : Bytes();
        builder.extension({name("extbinary"), std::as_bytes(std::span(bytes))});
      }
      if (Chance(3)) {
        builder.extension({name("exturi"), AttributeType::kUri, Uri()});
      }
      if (Chance(3)) {
        builder.extension(
            {name("extref"), AttributeType::kUriReference, Reference()});
      }
      if (Chance(3)) {
        builder.extension({name("exttime"), AttributeType::kTimestamp, Time()});
      }
    }
  }

  void AddData(EventBuilder& builder) {
    switch (Below(7)) {
      case 0:  // None; a media type may be there all the same.
        if (Chance(2)) builder.datacontenttype(MediaType(kTextTypes));
        return;
      case 1:
        if (Chance(2)) builder.datacontenttype(MediaType(kJsonTypes));
        builder.data({Pick(kJson), DataKind::kJson, "application/json"});
        return;
      case 2:  // Says JSON, and is not.
        builder.data({Chance(2) ? "{\"a\":tru}" : Bytes() + "]",
                      DataKind::kBinary, MediaType(kJsonTypes)});
        return;
      case 3:
        builder.data(
            Text(NonEmptyString() + "\n\t\x01\x7F", MediaType(kTextTypes)));
        return;
      case 4:  // Says text, and need not be.
        builder.data({Bytes(), DataKind::kNone, MediaType(kTextTypes)});
        return;
      case 5:
        builder.data(Binary(Bytes(), MediaType(kOtherTypes)));
        return;
      default:  // Without a type.
        builder.data({Bytes(), DataKind::kBinary, {}});
        return;
    }
  }

  std::mt19937_64 random_;
};

}  // namespace cirro::test
