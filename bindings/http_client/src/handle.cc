#include "handle.h"

namespace cirro::internal::http_client {

void AddHeader(HeaderList& headers, const std::string& line) {
  curl_slist* const longer = curl_slist_append(headers.get(), line.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  // The first append makes the list; the others return it.
  if (!headers) headers.reset(longer);
}

void AddHeaderLines(HeaderList& headers, std::string_view lines) {
  bool has_type = false;
  while (!lines.empty()) {
    const std::size_t end = lines.find("\r\n");
    std::string line(lines.substr(0, end));
    has_type = has_type || line.starts_with("content-type:");
    // curl's way to write a header without a value.
    if (line.ends_with(": ")) line.replace(line.size() - 2, 2, ";");
    AddHeader(headers, line);
    lines.remove_prefix(end + 2);
  }
  // Without these, curl would add a form's media type and wait for a 100.
  if (!has_type) AddHeader(headers, "content-type:");
  AddHeader(headers, "expect:");
}

EasyHandle MakePostHandle(const Target& target, const std::string& proxy,
                          char* why) {
  EasyHandle owner(curl_easy_init());
  if (!owner) throw std::bad_alloc();
  CURL* const handle = owner.get();
  Set(handle, CURLOPT_URL, target.url.c_str());
#if LIBCURL_VERSION_NUM >= 0x075500
  Set(handle, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  Set(handle, CURLOPT_PROTOCOLS,
      static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  Set(handle, CURLOPT_FOLLOWLOCATION, 0L);
  Set(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  Set(handle, CURLOPT_POST, 1L);
  Set(handle, CURLOPT_NOSIGNAL, 1L);
  Set(handle, CURLOPT_NOPROGRESS, 1L);
  // Empty is "none, whatever the environment says": of proxies, and of hosts
  // that are reached without one.
  Set(handle, CURLOPT_PROXY, proxy.c_str());
  Set(handle, CURLOPT_NOPROXY, "");
  Set(handle, CURLOPT_USERAGENT, "cirro");
  Set(handle, CURLOPT_ERRORBUFFER, why);
  if (!target.user.empty() || !target.password.empty()) {
    Set(handle, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    Set(handle, CURLOPT_USERNAME, target.user.c_str());
    Set(handle, CURLOPT_PASSWORD, target.password.c_str());
  }
  return owner;
}

}  // namespace cirro::internal::http_client
