#include "transfer.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "cirro/cloudevents/json_format.h"

namespace cirro::internal::http_client {
namespace {

using std::chrono::milliseconds;

// What a final status means for the event.
ErrorCode CodeOf(long status) {
  switch (status) {
    case 404:
    case 410:
      return ErrorCode::kUnroutable;
    case 408:
    case 504:
      return ErrorCode::kTimedOut;
    case 413:
      return ErrorCode::kTooLarge;
    case 409:
    case 425:
    case 429:
    case 503:
      return ErrorCode::kOverloaded;
    default:
      return status >= 500 ? ErrorCode::kUnavailable : ErrorCode::kRefused;
  }
}

long Milliseconds(Duration duration) {
  const auto count = std::chrono::duration_cast<milliseconds>(duration).count();
  // 0 would mean without limit.
  return static_cast<long>(std::max<decltype(count)>(count, 1));
}

}  // namespace

Transfer::Transfer(const HttpOutletOptions& options, const Target& target)
    : options_(options),
      target_(target),
      handle_(MakePostHandle(target, options.proxy, why_)) {
  CURL* const handle = handle_.get();
  Set(handle, CURLOPT_WRITEFUNCTION, &Transfer::Discard);
  Set(handle, CURLOPT_WRITEDATA, static_cast<void*>(this));
  Set(handle, CURLOPT_PRIVATE, static_cast<void*>(this));
  if (!options.ca_certificates.empty()) {
    // Replaces the system's bundle file, not its directory of certificates.
    curl_blob blob{const_cast<char*>(options.ca_certificates.data()),
                   options.ca_certificates.size(), CURL_BLOB_NOCOPY};
    takes_certificates_ =
        curl_easy_setopt(handle, CURLOPT_CAINFO_BLOB, &blob) == CURLE_OK;
  }
}

// Nothing of an answer's body is used, and curl has the status by then: past a
// bound the connection is worth less than the wait.
std::size_t Transfer::Discard(char* /*data*/, std::size_t size,
                              std::size_t count, void* self) noexcept {
  constexpr std::size_t kMost = 65'536;
  std::size_t& discarded = static_cast<Transfer*>(self)->discarded_;
  discarded += size * count;
  return discarded <= kMost ? size * count : 0;
}

void Transfer::Prepare(std::vector<Sending> batch, TimePoint now) {
  batch_ = std::move(batch);
  headers_.reset();
  header_lines_.clear();
  why_[0] = '\0';
  discarded_ = 0;

  std::string_view body;
  if (options_.mode == ContentMode::kBatch) {
    std::vector<Event> events;
    events.reserve(batch_.size());
    for (const Sending& sending : batch_) events.push_back(sending.event);
    body_ = EncodeJsonBatch(events);
    header_lines_ = kBatchHeaderLine;
    body = body_;
  } else {
    body =
        EncodeHttp(options_.mode, batch_.front().event, header_lines_, body_);
  }
  AddHeaderLines(headers_, header_lines_);
  for (const auto& [name, value] : options_.headers) {
    std::string line = name;
    line += ": ";
    line += value;
    AddHeader(headers_, line);
  }

  const TimePoint deadline =
      std::min_element(batch_.begin(), batch_.end(),
                       [](const Sending& a, const Sending& b) {
                         return a.deadline < b.deadline;
                       })
          ->deadline;
  CURL* const handle = handle_.get();
  Set(handle, CURLOPT_HTTPHEADER, headers_.get());
  Set(handle, CURLOPT_POSTFIELDSIZE_LARGE,
      static_cast<curl_off_t>(body.size()));
  Set(handle, CURLOPT_POSTFIELDS, body.empty() ? "" : body.data());
  Set(handle, CURLOPT_TIMEOUT_MS, Milliseconds(deadline - now));
  Set(handle, CURLOPT_CONNECTTIMEOUT_MS,
      Milliseconds(options_.connect_timeout));
}

bool Transfer::WasSent() const noexcept {
  long bytes = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_REQUEST_SIZE, &bytes);
  return bytes > 0;
}

Answer Transfer::Failed(ErrorCode code, std::string_view why) const {
  return {Error{code, "outlet '" + options_.name + "': " + target_.shown + " " +
                          std::string(why)}};
}

Answer Transfer::Read(CURLcode code) {
  // The status line settles it, even where the rest of the answer is broken.
  long status = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200) {
    if (status < 300) return {Result<void>()};
    Answer answer =
        Failed(CodeOf(status), "answered " + std::to_string(status) +
                                   (status < 400 ? ", and no redirect is "
                                                   "followed"
                                                 : ""));
    curl_off_t seconds = 0;
    curl_easy_getinfo(handle_.get(), CURLINFO_RETRY_AFTER, &seconds);
    constexpr curl_off_t kLongest = 86'400;  // A day.
    answer.retry_after =
        std::chrono::seconds(std::clamp<curl_off_t>(seconds, 0, kLongest));
    return answer;
  }

  const std::string why = std::string(curl_easy_strerror(code)) +
                          (why_[0] == '\0' ? "" : ": ") + why_;
  if (!WasSent()) {
    return Failed(ErrorCode::kUnavailable, "is not reached: " + why);
  }
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return Failed(ErrorCode::kTimedOut, "did not answer in time: " + why);
  }
  return Failed(ErrorCode::kUnknownOutcome, "may have the event: " + why);
}

Answer Transfer::GiveUp() {
  return WasSent() ? Failed(ErrorCode::kUnknownOutcome,
                            "may have the event: stopped before its answer")
                   : Failed(ErrorCode::kUnavailable,
                            "is not reached: stopped before it was");
}

void Transfer::Complete(const Answer& answer) noexcept {
  std::vector<Sending> batch = std::exchange(batch_, {});
  for (Sending& sending : batch) {
    sending.completion.Complete(answer.result, answer.retry_after);
  }
}

}  // namespace cirro::internal::http_client
