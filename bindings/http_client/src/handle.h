#pragma once

#include <curl/curl.h>

#include <memory>
#include <new>
#include <string>
#include <string_view>

#include "cirro/http_client/http_client.h"
#include "target.h"

// What every request of this module has in common.
namespace cirro::internal::http_client {

struct FreeEasy {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
using EasyHandle = std::unique_ptr<CURL, FreeEasy>;

struct FreeList {
  void operator()(curl_slist* list) const noexcept {
    curl_slist_free_all(list);
  }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

/// Throws std::bad_alloc; options that this libcurl lacks are left out.
template <typename Value>
void Set(CURL* handle, CURLoption option, Value value) {
  if (curl_easy_setopt(handle, option, value) == CURLE_OUT_OF_MEMORY) {
    throw std::bad_alloc();
  }
}

/// Adds one line, without its line end.
void AddHeader(HeaderList& headers, const std::string& line);
/// Adds lines that each end in CR LF, and what keeps curl from adding a media
/// type and an expectation of its own.
void AddHeaderLines(HeaderList& headers, std::string_view lines);

/// A handle that POSTs to `target`: http and https alone, no redirect, no
/// signal, no proxy but the option's. `why` gets libcurl's own words.
/// REQUIRES: `target` and `proxy` outlive the handle; `why` has
/// CURL_ERROR_SIZE bytes.
[[nodiscard]] EasyHandle MakePostHandle(const Target& target,
                                        const std::string& proxy, char* why);

}  // namespace cirro::internal::http_client
