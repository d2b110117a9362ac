#include "target.h"

#include <curl/curl.h>

#include <memory>
#include <optional>
#include <utility>

namespace cirro::internal::http_client {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
struct FreeText {
  void operator()(char* text) const noexcept { curl_free(text); }
};

// A part of the URL, or nothing when it has none.
std::optional<std::string> Part(CURLU* url, CURLUPart part,
                                unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return std::nullopt;
  const std::unique_ptr<char, FreeText> owner(text);
  return std::string(text);
}

Error InvalidUrl(std::string_view why) {
  // The URL itself may hold a password, so it is not repeated.
  return {ErrorCode::kInvalidConfig, "url: " + std::string(why)};
}

}  // namespace

Result<Target> ParseTarget(std::string_view url) {
  const std::unique_ptr<CURLU, FreeUrl> parsed(curl_url());
  if (!parsed) return Error{ErrorCode::kInternal, "out of memory"};
  const CURLUcode code =
      curl_url_set(parsed.get(), CURLUPART_URL, std::string(url).c_str(),
                   CURLU_NON_SUPPORT_SCHEME);
  if (code != CURLUE_OK) return InvalidUrl(curl_url_strerror(code));
  const std::string scheme = Part(parsed.get(), CURLUPART_SCHEME).value_or("");
  if (scheme != "http" && scheme != "https") {
    return InvalidUrl("'" + scheme + "' is not http or https");
  }

  Target target;
  target.user =
      Part(parsed.get(), CURLUPART_USER, CURLU_URLDECODE).value_or("");
  target.password =
      Part(parsed.get(), CURLUPART_PASSWORD, CURLU_URLDECODE).value_or("");
  for (const CURLUPart part :
       {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_FRAGMENT}) {
    curl_url_set(parsed.get(), part, nullptr, 0);
  }
  target.url = Part(parsed.get(), CURLUPART_URL).value_or("");
  curl_url_set(parsed.get(), CURLUPART_QUERY, nullptr, 0);
  target.shown = Part(parsed.get(), CURLUPART_URL).value_or("");
  // A password with a `/` that should have been escaped is a path to curl.
  const std::size_t host = scheme.size() + 3;
  const std::size_t at = target.shown.rfind('@');
  if (at != std::string::npos && at > host) {
    target.shown.replace(host, at - host, "***");
  }
  if (target.url.empty()) return InvalidUrl("it has no host");
  return target;
}

}  // namespace cirro::internal::http_client
