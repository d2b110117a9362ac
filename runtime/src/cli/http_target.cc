#include "http_target.h"

#include <cstdint>
#include <cstdio>
#include <utility>

#include "answer.h"
#include "cirro/cloudevents/media_type.h"
#include "cirro/dispatch/dead_letter.h"
#include "cirro/http/codec.h"
#include "cirro/runtime/command.h"

namespace cirro::cli {
namespace {

// As the HTTP binding encodes an attribute. Source: CloudEvents HTTP Protocol
// Binding v1.0.2, section 3.1.3.2.
std::string Encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7F && c != '"' && c != '%') {
      encoded += c;
    } else {
      encoded += {'%', kHex[byte >> 4], kHex[byte & 0xF]};
    }
  }
  return encoded;
}

// Of a message that is no event only what says what its body is: the rest may
// be credentials that were meant for another.
bool SaysWhatItIs(const std::string& name, const std::string& value) {
  const bool goes = EqualsIgnoreCase(name, "content-type") ||
                    EqualsIgnoreCase(name.substr(0, 3), "ce-");
  const auto breaks = [](const std::string& text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) !=
           std::string::npos;
  };
  return goes && !breaks(name) && !breaks(value);
}

HttpPost RequestOf(const Outgoing& message) {
  HttpPost request;
  if (const auto* event = std::get_if<Event>(&message.content)) {
    const bool structured =
        message.original != nullptr && message.original->bytes.has_value();
    std::string buffer;
    request.body =
        EncodeHttp(structured ? ContentMode::kStructured : ContentMode::kBinary,
                   *event, request.header_lines, buffer);
  } else {
    const auto& malformed = std::get<Malformed>(message.content);
    for (const auto& [name, value] : malformed.headers) {
      if (SaysWhatItIs(name, value)) {
        request.header_lines.append(name).append(": ").append(value).append(
            "\r\n");
      }
    }
    request.body = malformed.bytes;
  }
  if (!message.function.empty()) {
    request.header_lines +=
        std::string(kRedriveHeader) + ": " + Encoded(message.function) + "\r\n";
  }
  return request;
}

}  // namespace

HttpTarget::HttpTarget(std::string url, double timeout_seconds,
                       const HttpClientApi& client)
    : url_(std::move(url)),
      timeout_(static_cast<std::int64_t>(timeout_seconds * 1000)),
      client_(client) {}

Result<std::unique_ptr<HttpTarget>> HttpTarget::Make(std::string url,
                                                     double timeout_seconds) {
  const auto client = LoadHttpClient();
  if (!client) return client.error();
  return std::unique_ptr<HttpTarget>(
      new HttpTarget(std::move(url), timeout_seconds, **client));
}

Sent HttpTarget::Send(const Outgoing& message) {
  HttpPost request = RequestOf(message);
  request.url = url_;
  request.timeout = timeout_;
  const auto answer = client_.post(request);
  if (!answer) return {ExitOf(answer.error()), answer.error().message};
  PrintBody(*answer);
  const int code = ExitOf(answer->status);
  // Replies have no other way: what is lost here is not done.
  if (code == kOk && (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)) {
    return {kNotWritten, "its replies cannot be written to stdout"};
  }
  return {code, std::to_string(answer->status)};
}

}  // namespace cirro::cli
