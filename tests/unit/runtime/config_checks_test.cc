// Values that cannot be, alone or together.

#include "runtime/src/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "runtime/src/units.h"
#include "unit/runtime/config_sources.h"

namespace cirro::internal {
namespace {

using ::testing::HasSubstr;

// What only the program could find out later is said with its place, too.
TEST(Config, ValuesAreCheckedWhereTheyStand) {
  const std::pair<const char*, const char*> cases[] = {
      {"[http]\nhost = \"localhost\"", "http.host = \"localhost\": must be an"},
      {"[knative]\nce_overrides = \"{\"", "must be a JSON object"},
      {"[knative]\nca_certificates = \"bad\"", "certificates in PEM"},
      {"[knative]\nsink = \"http://host:99999/\"", "must be `http` or"},
      {"[knative]\nsink = \"http:///\"", "with a host"},
      {"[outlet.x]\nurl = \"http://h:abc\"", "outlet.x.url"},
      {"[knative]\nsink = \"http://h/\\nb\"",
       "knative.sink = \"http://h/\\u000Ab\": must hold no blank"},
      {"[outlet.x]\nurl = \"http://h/a b\"", "must hold no blank"},
      {"[outlet.x]\nauthorization = \"a\\nb\"\nurl = \"http://h\"",
       "outlet.x.authorization = \"***\": must hold no line break"},
      {"[function.f]\norder_pointer = \"a\"",
       "function.f.order_pointer = \"a\": must be a JSON pointer"},
      {"[function.f]\norder_pointer = \"/a~b\"", "must be a JSON pointer"},
  };
  for (const auto& [text, said] : cases) {
    const std::string message = Message(FromFile(text));
    EXPECT_THAT(message, HasSubstr(said)) << text;
    EXPECT_THAT(message, HasSubstr("cirro.toml:2")) << text;
  }
  for (const char* const url : {"http://h", "https://u:p@h:1/x?y",
                                "http://[::1]:80/", "http://[::1]"}) {
    EXPECT_TRUE(IsHttpUrl(url)) << url;
  }
}

// Named is what was set last, not what another setting wants of it.
TEST(Config, ValuesAreCheckedTogetherWhereTheyStand) {
  const std::pair<const char*, const char*> cases[] = {
      {"[http]\nmax_body_bytes = \"2GiB\"",
       "http.max_body_bytes = \"2GiB\": http.max_buffered_bytes ("},
      {"[http]\nmax_buffered_bytes = \"1MiB\"",
       "http.max_buffered_bytes = \"1MiB\": http.max_buffered_bytes (\"1MiB\")"
       " must be at least twice http.max_body_bytes (\"1MiB\") and "
       "http.max_header_bytes (\"64KiB\") together, 2228224 bytes"},
      {"[http]\nmax_header_bytes = \"16MiB\"\nmax_buffered_bytes = \"4MiB\"",
       "http.max_header_bytes = \"16MiB\": "},
      {"[dispatch]\nretry_base = \"1m\"",
       "dispatch.retry_base = \"1m\": dispatch.retry_base (\"1m\") must be at "
       "most dispatch.retry_cap (\"30s\")"},
      {"[dispatch]\nmax_reply_bytes = \"1GiB\"",
       "dispatch.max_reply_bytes = \"1GiB\": dispatch.max_reply_bytes "
       "(\"1GiB\") must be at most http.max_buffered_bytes ("},
      {"[dispatch]\nretry_cap = \"1ms\"", "dispatch.retry_cap = \"1ms\": "},
  };
  for (const auto& [text, said] : cases) {
    const std::string message = Message(FromFile(text));
    EXPECT_THAT(message, HasSubstr(said)) << text;
    EXPECT_THAT(message, HasSubstr("cirro.toml:2)")) << text;
  }
  EXPECT_TRUE(
      FromFile("[http]\nmax_body_bytes = \"2GiB\"\n"
               "max_buffered_bytes = \"5GiB\""));
}

// A program with one function, `f`, and what its code says of its order.
ConfigSources OrderedBy(const std::string& order_by,
                        const std::string& pointer = {}) {
  ConfigSources sources = NoFile();
  sources.functions = {"f"};
  sources.code = {{"function.f.order_by", order_by, "code"}};
  if (!pointer.empty()) {
    sources.code.push_back({"function.f.order_pointer", pointer, "code"});
  }
  return sources;
}

TEST(Config, AnOrderByPointerNeedsThePointer) {
  ConfigSources set = OrderedBy("source");
  set.flags = {{"function.f.order_by", "json_pointer", "flag --set"}};
  ConfigSources emptied = OrderedBy("json_pointer", "/a");
  emptied.flags = {{"function.f.order_pointer", "", "flag --set"}};
  ConfigSources given = OrderedBy("json_pointer");
  given.flags = {{"function.f.order_pointer", "/a", "flag --set"}};

  EXPECT_EQ(Message(LoadConfig(set)),
            "function.f.order_by = \"json_pointer\": needs "
            "function.f.order_pointer, which is not set (flag --set)");
  EXPECT_THAT(Message(LoadConfig(emptied)),
              HasSubstr("needs function.f.order_pointer"));
  EXPECT_THAT(Message(LoadConfig(OrderedBy("json_pointer"))),
              HasSubstr("needs function.f.order_pointer, which is not set "
                        "(code)"));
  EXPECT_TRUE(LoadConfig(given));
}

TEST(Config, APointerThatOrdersNothingIsAnError) {
  ConfigSources later = OrderedBy("subject");
  later.flags = {{"function.f.order_pointer", "/a", "flag --set"}};
  // Who takes the order away need not know how it was made.
  ConfigSources taken_away = OrderedBy("json_pointer", "/a");
  taken_away.flags = {{"function.f.order_by", "none", "flag --set"}};
  ConfigSources emptied = OrderedBy("subject");
  emptied.flags = {{"function.f.order_pointer", "", "flag --set"}};

  EXPECT_EQ(Message(LoadConfig(later)),
            "function.f.order_pointer = \"/a\": has no effect without "
            "function.f.order_by = \"json_pointer\"; it is \"subject\" "
            "(flag --set)");
  EXPECT_THAT(Message(LoadConfig(OrderedBy("source", "/a"))),
              HasSubstr("has no effect"));
  EXPECT_TRUE(LoadConfig(taken_away));
  EXPECT_TRUE(LoadConfig(emptied));
}

// `cirro config` does not know what the code says.
TEST(Config, HalfOfAnOrderIsNoMistakeWhereTheCodeMayHaveTheOther) {
  EXPECT_TRUE(FromFile("[function.f]\norder_by = \"json_pointer\""));
  EXPECT_TRUE(FromFile("[function.f]\norder_pointer = \"/a\""));
}

}  // namespace
}  // namespace cirro::internal
