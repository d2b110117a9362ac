#include "answer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <variant>
#include <vector>

#include "cirro/cloudevents/json_format.h"
#include "cirro/http/codec.h"
#include "exit_codes.h"

namespace cirro::cli {

int ExitOf(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidConfig:
      return kWrongUse;
    case ErrorCode::kUnavailable:
      return kUnavailable;
    case ErrorCode::kOverloaded:
    case ErrorCode::kDraining:
    case ErrorCode::kTimedOut:
    case ErrorCode::kUnknownOutcome:
      return kTryLater;
    case ErrorCode::kInternal:
      return kInternal;
    case ErrorCode::kInvalidEvent:
    case ErrorCode::kUnsupported:
    case ErrorCode::kTooLarge:
    case ErrorCode::kConflict:
    case ErrorCode::kNoFunction:
    case ErrorCode::kRejected:
    case ErrorCode::kFunctionFailed:
    case ErrorCode::kInvalidReply:
    case ErrorCode::kDeadlineExceeded:
    case ErrorCode::kUnroutable:
    case ErrorCode::kRefused:
      return kFailed;
  }
  return kFailed;
}

int ExitOf(int status) {
  if (status >= 200 && status < 300) return kOk;
  constexpr std::array kLater{408, 425, 429, 503, 504};
  return std::find(kLater.begin(), kLater.end(), status) != kLater.end()
             ? kTryLater
             : kFailed;
}

void PrintLine(std::FILE* stream, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fputc('\n', stream);
}

void PrintBody(const HttpAnswer& answer) {
  std::vector<HttpHeader> headers;
  for (const auto& [name, value] : answer.headers) {
    headers.push_back({name, value});
  }
  const DecodeOptions options{.max_event_bytes = std::size_t{16} << 20};
  HttpDecoder decoder(options);
  const HttpContent content = decoder.Decode(headers, answer.body);
  if (const auto* event = std::get_if<Event>(&content.value)) {
    PrintLine(stdout, EncodeJson(*event));
  } else if (const auto* batch =
                 std::get_if<std::vector<Result<Event>>>(&content.value)) {
    for (const Result<Event>& member : *batch) {
      if (member) {
        PrintLine(stdout, EncodeJson(*member));
      } else {
        PrintLine(stderr, "an invalid reply: " + member.error().message);
      }
    }
  } else if (content.mode != ContentMode::kNone) {
    PrintLine(stderr,
              "an invalid reply: " + std::get<Error>(content.value).message);
  } else if (!answer.body.empty()) {
    PrintLine(stderr, answer.body);
  }
}

}  // namespace cirro::cli
