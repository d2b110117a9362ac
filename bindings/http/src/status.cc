#include "status.h"

namespace cirro::internal::http {
namespace {

constexpr std::size_t kMaxDetail = 512;

// For statuses that nobody was given a time for.
constexpr std::chrono::seconds kDefaultRetryAfter{1};

int Severity(int status) noexcept {
  switch (status) {
    case 504:
      return 9;
    case 500:
      return 8;
    case 503:
      return 7;
    case 429:
      return 6;
    case 404:
      return 5;
    case 400:
      return 4;
    case 422:
      return 2;
    default:
      return status < 300 ? 0 : 3;
  }
}

}  // namespace

int StatusOf(ErrorCode code, const HttpOptions& options) noexcept {
  switch (code) {
    case ErrorCode::kInvalidEvent:
      return 400;
    case ErrorCode::kUnsupported:
      return 415;
    case ErrorCode::kTooLarge:
      return 413;
    case ErrorCode::kNoFunction:
      return 404;
    // A reply without a place to go: sent again it would fail again.
    case ErrorCode::kInvalidConfig:
    case ErrorCode::kRejected:
      return options.reject_status;
    case ErrorCode::kOverloaded:
      return 429;
    case ErrorCode::kDraining:
      return 503;
    case ErrorCode::kDeadlineExceeded:
      return 504;
    case ErrorCode::kConflict:
    case ErrorCode::kFunctionFailed:
    case ErrorCode::kInvalidReply:
    case ErrorCode::kUnavailable:
    case ErrorCode::kUnroutable:
    case ErrorCode::kRefused:
    case ErrorCode::kTimedOut:
    case ErrorCode::kUnknownOutcome:
    case ErrorCode::kInternal:
      return 500;
  }
  return 500;
}

int StatusOf(const Settlement& settlement,
             const HttpOptions& options) noexcept {
  if (settlement.kind == Settlement::Kind::kAck) return options.done_status;
  if (!settlement.error) return 500;
  const int status = StatusOf(settlement.error->code, options);
  return settlement.kind == Settlement::Kind::kNak && IsFinal(status) ? 500
                                                                      : status;
}

std::string_view ReasonPhrase(int status) noexcept {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return status < 300 ? "OK" : status < 500 ? "Refused" : "Error";
  }
}

bool IsFinal(int status) noexcept {
  return status >= 400 && status < 500 && status != 404 && status != 408 &&
         status != 429;
}

int Worse(int a, int b) noexcept { return Severity(b) > Severity(a) ? b : a; }

std::chrono::seconds RetryAfter(int status,
                                std::chrono::milliseconds known) noexcept {
  if (status != 429 && status != 503 && status != 500) {
    return std::chrono::seconds(0);
  }
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(known);
  if (seconds.count() > 0) return seconds;
  return status == 500 ? std::chrono::seconds(0) : kDefaultRetryAfter;
}

std::string_view PublicDetail(const Error& error) noexcept {
  switch (error.code) {
    case ErrorCode::kInvalidEvent:
    case ErrorCode::kUnsupported:
    case ErrorCode::kTooLarge:
    case ErrorCode::kNoFunction:
    case ErrorCode::kInvalidConfig:  // Of a reply: which setting to change.
    case ErrorCode::kRejected: {
      std::string_view text = error.message;
      if (text.size() <= kMaxDetail) return text;
      // Not within a UTF-8 sequence.
      std::size_t size = kMaxDetail;
      while (size > 0 &&
             (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
        --size;
      return text.substr(0, size);
    }
    case ErrorCode::kOverloaded:
      return "too much is waiting";
    case ErrorCode::kDraining:
      return "starting or stopping";
    case ErrorCode::kDeadlineExceeded:
      return "the function ran out of time";
    case ErrorCode::kFunctionFailed:
      return "the function failed";
    case ErrorCode::kInvalidReply:
      return "the function's reply is not valid";
    case ErrorCode::kUnavailable:
    case ErrorCode::kUnroutable:
    case ErrorCode::kRefused:
    case ErrorCode::kTimedOut:
    case ErrorCode::kUnknownOutcome:
      return "the reply could not be delivered";
    case ErrorCode::kConflict:
    case ErrorCode::kInternal:
      return "";
  }
  return "";
}

}  // namespace cirro::internal::http
