// RFC 3986: compared with its grammar written as one regular expression (its
// appendix A, IPv6 aside, for texts without brackets), and with itself.

#include <cstddef>
#include <cstdint>
#include <regex>
#include <string>
#include <string_view>

#include "cirro/cloudevents/uri.h"
#include "fuzz_check.h"

namespace {

std::string Grammar(bool absolute) {
  const std::string escape = "|%[0-9A-Fa-f]{2})";
  const std::string unreserved = "[-A-Za-z0-9._~!$&'()*+,;=";
  const std::string path_character = "(?:" + unreserved + ":@]" + escape;
  const std::string no_colon = "(?:" + unreserved + "@]" + escape;
  const std::string tail = "(?:/" + path_character + "*)*";
  const std::string authority = "//(?:(?:" + unreserved + ":]" + escape +
                                "*@)?(?:" + unreserved + "]" + escape +
                                "*(?::[0-9]*)?" + tail;
  const std::string after = "(?:\\?(?:" + unreserved + ":@/?]" + escape +
                            "*)?(?:#(?:" + unreserved + ":@/?]" + escape +
                            "*)?";
  const std::string path_absolute = "/(?:" + path_character + "+" + tail + ")?";
  const std::string uri = "[A-Za-z][A-Za-z0-9+.-]*:(?:" + authority + "|" +
                          path_absolute + "|" + path_character + "+" + tail +
                          "|)" + after;
  if (absolute) return uri;
  return "(?:" + uri + "|(?:" + authority + "|" + path_absolute + "|" +
         no_colon + "+" + tail + "|)" + after + ")";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace cirro;
  static const std::regex kUri(Grammar(true));
  static const std::regex kReference(Grammar(false));
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const bool uri = IsUri(text);
  const bool reference = IsUriReference(text);
  CIRRO_FUZZ_CHECK(!uri || reference);
  if (reference) {
    const std::string whole(text);
    for (const char c : whole) CIRRO_FUZZ_CHECK(c > 0x20 && c < 0x7F);
    if (text.find('#') == std::string_view::npos) {
      CIRRO_FUZZ_CHECK(IsUriReference(whole + "#fragment"));
      CIRRO_FUZZ_CHECK(!IsUriReference(whole + "#a#b"));
    }
    CIRRO_FUZZ_CHECK(!IsUriReference(whole + " "));
    CIRRO_FUZZ_CHECK(!IsUriReference(whole + "%"));
  }
  // std::regex recurses: short texts only.
  if (size <= 200 && text.find_first_of("[]") == std::string_view::npos) {
    const auto matches = [text](const std::regex& grammar) {
      return std::regex_match(text.begin(), text.end(), grammar);
    };
    CIRRO_FUZZ_CHECK(uri == matches(kUri));
    CIRRO_FUZZ_CHECK(reference == matches(kReference));
  }
  return 0;
}
