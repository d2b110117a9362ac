#include "cirro/cloudevents/uri.h"

#include <gtest/gtest.h>

#include <string>

namespace cirro {
namespace {

TEST(Uri, TakesTheExamplesOfItsSpecification) {
  for (const char* const text :
       {"ftp://ftp.is.co.za/rfc/rfc1808.txt",
        "http://www.ietf.org/rfc/rfc2396.txt",
        "ldap://[2001:db8::7]/c=GB?objectClass?one",
        "mailto:John.Doe@example.com", "news:comp.infosystems.www.servers.unix",
        "tel:+1-816-555-1212", "telnet://192.0.2.16:80/",
        "urn:oasis:names:specification:docbook:dtd:xml:4.1.2", "a:", "a:/",
        "a://", "a:///", "a:b:c", "a://@", "a://:", "a://h:80?q#f",
        "x+y-z.0:%41", "http://a/b?c/?d#e/?f", "http://a//b"}) {
    EXPECT_TRUE(IsUri(text)) << text;
    EXPECT_TRUE(IsUriReference(text)) << text;
  }
}

TEST(Uri, TakesReferencesWithoutAScheme) {
  for (const char* const text :
       {"", "/", "//", "//h", "//h:1/p", "g", "./g:h", "g;x=1/../y", "?",
        "?a:b", "#", "#a:b", "..", "a/b:c", "/a%20b", "//[::]/"}) {
    EXPECT_TRUE(IsUriReference(text)) << text;
    EXPECT_FALSE(IsUri(text)) << text;
  }
}

TEST(Uri, RefusesWhatIsNeither) {
  for (const char* const text :
       {":",       ":a",       "1:a",      "+a:b",
        "a b",     "a:b c",    "<a>",      "a\"",
        "a\\b",    "a^b",      "a`b",      "{a}",
        "a|b",     "%",        "%4",       "%4g",
        "a:%zz",   "a#b#c",    "[",        "]",
        "a:[",     "/[a]",     "?[",       "#]",
        "//a[b]",  "//h:80a",  "//h:-1",   "//u@v@w",
        "//[::1",  "//[::1]x", "//[]",     "//[::1]:a",
        "a\n",     "\x7F",     "\xC3\xA4", "http://\xE2\x82\xAC/",
        "%E2%82%A"}) {
    EXPECT_FALSE(IsUriReference(text)) << text;
    EXPECT_FALSE(IsUri(text)) << text;
  }
  EXPECT_FALSE(IsUriReference(std::string("a\0b", 3)));
}

TEST(Uri, ChecksAddressesInBrackets) {
  for (const char* const host :
       {"::", "::1", "1::", "1:2:3:4:5:6:7:8", "1::8", "::2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7::", "fe80::ABCD", "::192.0.2.1", "1:2:3:4:5:6:192.0.2.1",
        "1::6:255.255.255.255", "v1.a", "vF.:~!", "V0a.1"}) {
    EXPECT_TRUE(IsUri("http://[" + std::string(host) + "]/")) << host;
  }
  for (const char* const host : {":",
                                 ":::",
                                 "1",
                                 "1:2:3:4:5:6:7",
                                 "1:2:3:4:5:6:7:8:9",
                                 "1::2::3",
                                 ":1:2:3:4:5:6:7",
                                 "1:2:3:4:5:6:7:",
                                 "12345::",
                                 "g::",
                                 "1:2:3:4:5:6:7:8::",
                                 "::1:2:3:4:5:6:7:8",
                                 "192.0.2.1",
                                 "::256.0.0.1",
                                 "::1.2.3",
                                 "::1.2.3.4.5",
                                 "::01.2.3.4",
                                 "::1.2.3.4:5",
                                 "1:2:3:4:5:6:7:1.2.3.4",
                                 "v",
                                 "v.",
                                 "v1",
                                 "v1.",
                                 "vg.a",
                                 "v1.[",
                                 "::1%25eth0"}) {
    EXPECT_FALSE(IsUri("http://[" + std::string(host) + "]/")) << host;
  }
}

}  // namespace
}  // namespace cirro
