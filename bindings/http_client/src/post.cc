#include "post.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "handle.h"
#include "target.h"

namespace cirro::internal::http_client {
namespace {

constexpr std::size_t kMostBytes = std::size_t{16} << 20;

struct Reading {
  HttpAnswer answer{};
  bool too_large = false;
};

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// libcurl's callbacks: what they return short of `size * count` ends the
// transfer, and no exception may cross it.
std::size_t OnHeader(char* data, std::size_t size, std::size_t count,
                     void* self) noexcept {
  try {
    HttpAnswer& answer = static_cast<Reading*>(self)->answer;
    const std::string_view line(data, size * count);
    if (line.starts_with("HTTP/")) {
      answer.headers.clear();  // Those before were of an interim answer.
    } else if (const std::size_t colon = line.find(':');
               colon != std::string_view::npos) {
      answer.headers.emplace_back(line.substr(0, colon),
                                  Trimmed(line.substr(colon + 1)));
    }
    return size * count;
  } catch (...) {
    return 0;
  }
}

std::size_t OnBody(char* data, std::size_t size, std::size_t count,
                   void* self) noexcept {
  try {
    auto& reading = *static_cast<Reading*>(self);
    std::string& body = reading.answer.body;
    reading.too_large = body.size() + size * count > kMostBytes;
    if (reading.too_large) return 0;
    body.append(data, size * count);
    return size * count;
  } catch (...) {
    return 0;
  }
}

}  // namespace

Result<HttpAnswer> Post(const HttpPost& request) {
  const Result<Target> target = ParseTarget(request.url);
  if (!target) return target.error();

  std::array<char, CURL_ERROR_SIZE> why{};
  const std::string no_proxy;
  const EasyHandle owner = MakePostHandle(*target, no_proxy, why.data());
  CURL* const handle = owner.get();
  HeaderList headers;
  AddHeaderLines(headers, request.header_lines);
  Reading reading;
  Set(handle, CURLOPT_HTTPHEADER, headers.get());
  Set(handle, CURLOPT_POSTFIELDSIZE_LARGE,
      static_cast<curl_off_t>(request.body.size()));
  Set(handle, CURLOPT_POSTFIELDS, request.body.c_str());
  Set(handle, CURLOPT_TIMEOUT_MS,
      std::max(1L, static_cast<long>(request.timeout.count())));
  Set(handle, CURLOPT_HEADERFUNCTION, &OnHeader);
  Set(handle, CURLOPT_HEADERDATA, static_cast<void*>(&reading));
  Set(handle, CURLOPT_WRITEFUNCTION, &OnBody);
  Set(handle, CURLOPT_WRITEDATA, static_cast<void*>(&reading));

  const CURLcode code = curl_easy_perform(handle);
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  reading.answer.status = static_cast<int>(status);
  if (code == CURLE_OK) return std::move(reading.answer);

  long sent = 0;
  curl_easy_getinfo(handle, CURLINFO_REQUEST_SIZE, &sent);
  const std::string words =
      target->shown + ": " +
      (why[0] == '\0' ? curl_easy_strerror(code) : why.data());
  if (reading.too_large) {
    return Error{ErrorCode::kTooLarge,
                 target->shown + ": the answer is longer than " +
                     std::to_string(kMostBytes) + " bytes"};
  }
  if (sent == 0) return Error{ErrorCode::kUnavailable, words};
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return Error{ErrorCode::kTimedOut, words};
  }
  return Error{ErrorCode::kUnknownOutcome, words};
}

}  // namespace cirro::internal::http_client
