#include "cirro/cloudevents/media_type.h"

#include <gtest/gtest.h>

namespace cirro {
namespace {

TEST(MediaType, TakesTypesWithParameters) {
  for (const char* const text :
       {"application/json", "text/plain; charset=utf-8", "a/b;c=d;e=f",
        "a/b ; c=d", "a/b; c=\"d e\\\"f\"", "application/vnd.x+json;a=\"\"",
        "!#$%&'*+-.^_`|~/x"}) {
    EXPECT_TRUE(IsMediaType(text)) << text;
  }
}

// "parameters = *( OWS ";" OWS [ parameter ] )". RFC 9110 section 5.6.6
TEST(MediaType, TakesEmptyParameters) {
  for (const char* const text : {"a/b;", "a/b;;", "a/b;;c=d", "a/b; ;c=d",
                                 "a/b;c=d;", "a/b;c=d ; ; e=f;"}) {
    EXPECT_TRUE(IsMediaType(text)) << text;
  }
  EXPECT_EQ(MediaTypeParameter("a/b;; c=d; ;e=f;", "e"), "f");
  EXPECT_EQ(MediaTypeEssence("application/json;"), "application/json");
}

TEST(MediaType, RefusesWhatIsNone) {
  for (const char* const text :
       {"", "json", "/", "a/", "/b", "a/b/c", "a b/c", "a/b;c", "a/b;;c",
        "a/b;c=", "a/b;c =d", "a/b;c= d", "a/b;c=\"d", "a/b;c=\"d\\\"",
        "a/b, c/d", "text/html; charset:", "a/b;c=d e", " a/b", "a/(b)"}) {
    EXPECT_FALSE(IsMediaType(text)) << text;
  }
}

// It becomes a header line as it is.
TEST(MediaType, RefusesWhatNoHeaderLineMayHold) {
  for (const char* const text :
       {"a/b; c=\"x\r\nSet-Cookie: evil=1\"", "a/b; c=\"\\\r\n\"",
        "a/b; c=\"\xFF\"", "a/b; c=\"\t\"", "a/b; c=\"\x7F\"", "a/b;\tc=d",
        "a/b ", "a/b; ", "a/b; c=d ", "a/b; c=\"d\"  "}) {
    EXPECT_FALSE(IsMediaType(text)) << text;
  }
  EXPECT_FALSE(IsMediaType(std::string_view("a/b; c=\"\0\"", 11)));
  EXPECT_TRUE(IsMediaType("a/b ; c=\"d e\\\"\"; f=g"));
}

TEST(MediaType, FindsItsParts) {
  constexpr const char* kText = "Text/Plain ; a=b; Charset=\"utf-8\"";
  EXPECT_EQ(MediaTypeEssence(kText), "Text/Plain");
  EXPECT_EQ(MediaTypeParameter(kText, "charset"), "\"utf-8\"");
  EXPECT_EQ(MediaTypeParameter(kText, "a"), "b");
  EXPECT_EQ(MediaTypeParameter(kText, "x"), "");
  EXPECT_EQ(MediaTypeParameter("nonsense", "x"), "");
}

TEST(MediaType, KnowsJson) {
  for (const char* const text :
       {"application/json", "APPLICATION/JSON", "text/json;a=b", "test/json",
        "application/cloudevents+json; charset=UTF-8"}) {
    EXPECT_TRUE(IsJsonMediaType(text)) << text;
  }
  for (const char* const text : {"", "application/jsom", "application/jsonx",
                                 "json", "application/xjson", "a/b;c=/json"}) {
    EXPECT_FALSE(IsJsonMediaType(text)) << text;
  }
}

TEST(MediaType, KnowsTextInUtf8) {
  for (const char* const text :
       {"text/plain", "TEXT/HTML", "application/xml", "image/svg+xml",
        "text/plain;charset=UTF-8", "text/plain;charset=\"us-ascii\""}) {
    EXPECT_TRUE(IsTextMediaType(text)) << text;
  }
  for (const char* const text :
       {"", "text/json", "application/octet-stream",
        "text/plain;charset=iso-8859-1", "image/png"}) {
    EXPECT_FALSE(IsTextMediaType(text)) << text;
  }
}

}  // namespace
}  // namespace cirro
