#include "send.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include "answer.h"
#include "broker_url.h"
#include "cirro/cloudevents/event_builder.h"
#include "cirro/cloudevents/json_format.h"
#include "cirro/cloudevents/media_type.h"
#include "cirro/cloudevents/timestamp.h"
#include "cirro/cloudevents/utf8.h"
#include "cirro/http/codec.h"
#include "cirro/runtime/command.h"
#include "say.h"

namespace cirro::cli {
namespace {

// A random UUID. Source: RFC 9562, version 4.
std::string RandomId() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 36; ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      id += '-';
    } else if (i == 14) {
      id += '4';
    } else if (i == 19) {
      id += "89ab"[random() % 4];
    } else {
      id += "0123456789abcdef"[random() % 16];
    }
  }
  return id;
}

std::string Now() {
  return FormatTimestamp(
      ToTimestamp(std::chrono::time_point_cast<std::chrono::milliseconds>(
          std::chrono::system_clock::now())));
}

// Plain system calls: a stream would not say why it cannot be read.
Result<std::string> ReadFile(const std::string& path) {
  const bool standard = path == "-";
  const int fd =
      standard ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  std::string bytes;
  std::array<char, 65'536> buffer;
  ssize_t got = fd < 0 ? -1 : 1;
  while (fd >= 0 && got != 0) {
    got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    bytes.append(buffer.data(), static_cast<std::size_t>(got));
  }
  const int number = errno;
  if (fd >= 0 && !standard) close(fd);
  if (got == 0) return bytes;
  return Error{ErrorCode::kInvalidConfig,
               "cannot read " + (standard ? "the standard input" : path) +
                   ": " + std::strerror(number)};
}

Data DataOf(std::string bytes, const std::string& content_type) {
  const bool may_be_json =
      content_type.empty() || IsJsonMediaType(content_type);
  Data data;
  if (may_be_json && IsJson(bytes)) {
    data = JsonText(std::move(bytes));
  } else if (IsUtf8(bytes) && !IsJsonMediaType(content_type)) {
    data = Text(std::move(bytes));
  } else {
    data = Binary(std::move(bytes));
  }
  if (!content_type.empty()) data.contenttype = content_type;
  return data;
}

// "name=value" or "name: value".
Result<std::pair<std::string, std::string>> Split(const std::string& text) {
  const std::size_t sign = text.find_first_of("=:");
  if (sign == 0 || sign == std::string::npos) {
    return Error{ErrorCode::kInvalidConfig, "'" + text + "' is no NAME=VALUE"};
  }
  const bool blank =
      text[sign] == ':' && text.size() > sign + 1 && text[sign + 1] == ' ';
  return std::pair(text.substr(0, sign), text.substr(sign + (blank ? 2 : 1)));
}

// The events to send, apart by their ids, each made when its turn has come: a
// million of them have no room together.
class Events {
 public:
  static Result<Events> Make(const SendOptions& options,
                             std::optional<std::string> data) {
    Events events(options);
    events.builder_.source(options.source)
        .type(options.type)
        .subject(options.subject)
        .dataschema(options.dataschema)
        .time(options.time.empty() ? Now() : options.time);
    if (data) {
      events.builder_.data(DataOf(*std::move(data), options.content_type));
    } else if (!options.content_type.empty()) {
      events.builder_.datacontenttype(options.content_type);
    }
    for (const std::string& text : options.extensions) {
      auto extension = Split(text);
      if (!extension) return extension.error();
      events.builder_.extension({extension->first, extension->second});
    }
    // What is wrong with one is wrong with all.
    auto first = events.Build();
    if (!first) return first.error();
    events.made_ = 0;
    return events;
  }

  // Nothing after the last.
  std::optional<Event> Next() {
    if (made_ == options_.count) return std::nullopt;
    auto event = Build();
    if (!event) return std::nullopt;
    return *std::move(event);
  }

 private:
  explicit Events(const SendOptions& options) : options_(options) {}

  Result<Event> Build() {
    ++made_;
    std::string id = options_.id.empty() ? RandomId() : options_.id;
    if (!options_.id.empty() && options_.count > 1) {
      id += "-" + std::to_string(made_);
    }
    return builder_.id(id).Build();
  }

  const SendOptions& options_;
  EventBuilder builder_;
  int made_ = 0;
};

Result<std::string> MakeHeaderLines(const SendOptions& options) {
  std::string lines;
  for (const std::string& text : options.headers) {
    const auto header = Split(text);
    if (!header) return header.error();
    const std::string line = header->first + ": " + header->second;
    if (line.find_first_of("\r\n") != std::string::npos) {
      return Error{ErrorCode::kInvalidConfig, "a header has a line break"};
    }
    lines += line + "\r\n";
  }
  return lines;
}

bool HasAccept(std::string_view header_lines) {
  constexpr std::string_view kName = "accept:";
  while (!header_lines.empty()) {
    if (EqualsIgnoreCase(header_lines.substr(0, kName.size()), kName)) {
      return true;
    }
    header_lines.remove_prefix(
        std::min(header_lines.find('\n'), header_lines.size() - 1) + 1);
  }
  return false;
}

HttpPost RequestFor(const SendOptions& options,
                    const std::string& header_lines) {
  return {.url = options.url,
          .header_lines = header_lines,
          .timeout = std::chrono::milliseconds(
              static_cast<std::int64_t>(options.timeout_seconds * 1000))};
}

HttpPost OneRequest(const SendOptions& options, const Event& event,
                    const std::string& header_lines) {
  const ContentMode mode = options.mode == "structured"
                               ? ContentMode::kStructured
                               : ContentMode::kBinary;
  HttpPost request = RequestFor(options, header_lines);
  std::string buffer;
  request.body = EncodeHttp(mode, event, request.header_lines, buffer);
  return request;
}

HttpPost BatchRequest(const SendOptions& options, Events& events,
                      const std::string& header_lines) {
  HttpPost request = RequestFor(options, header_lines);
  request.header_lines += kBatchHeaderLine;
  // Else nobody may answer with a batch.
  if (!HasAccept(header_lines)) {
    request.header_lines += "accept: application/cloudevents-batch+json\r\n";
  }
  std::vector<Event> all;
  while (auto event = events.Next()) all.push_back(*std::move(event));
  request.body = EncodeJsonBatch(all);
  return request;
}

// What of the flags no broker has, or an outlet says itself.
Result<void> CheckFlags(const SendOptions& options) {
  const auto wrong = [](const std::string& why) {
    return Error{ErrorCode::kInvalidConfig, why};
  };
  if (!options.headers.empty()) {
    return wrong(
        "--header is of an http URL; what goes with an event is --extension");
  }
  if (!options.outlet.empty() && !options.mode.empty()) {
    return wrong("--mode is of a URL; an outlet's is outlet." + options.outlet +
                 ".mode");
  }
  if (options.mode == "batch") {
    return wrong(
        "--mode batch is of an http URL: a broker takes one event a message");
  }
  return {};
}

// To a broker, or through any outlet that is configured.
int SendThroughOutlet(const SendOptions& options, Events& events) {
  if (const auto checked = CheckFlags(options); !checked) {
    return Fail(kWrongUse, checked.error().message);
  }
  std::string outlet = options.outlet;
  std::vector<std::string> flags;
  if (outlet.empty()) {
    outlet = "send";
    auto of_url = FlagsOfBrokerUrl("outlet.send", options.url);
    if (!of_url) return Fail(kWrongUse, of_url.error().message);
    flags = *std::move(of_url);
    flags.push_back("--set=outlet.send.mode=" +
                    (options.mode.empty() ? "binary" : options.mode));
    flags.push_back("--set=outlet.send.timeout=" +
                    std::to_string(static_cast<std::int64_t>(
                        options.timeout_seconds * 1000)) +
                    "ms");
    flags.emplace_back("--config=");
  } else if (!options.config.empty()) {
    flags.push_back("--config=" + options.config);
  }
  const auto sent =
      SendEvents(flags, outlet, [&events] { return events.Next(); });
  if (sent) return kOk;
  PrintLine(stderr, "cirro: " + sent.error().message);
  return ExitOf(sent.error());
}

// The exit code; what came back is printed.
int Post(const HttpClientApi& client, const HttpPost& request) {
  const auto answer = client.post(request);
  if (!answer) {
    PrintLine(stderr, "cirro: " + answer.error().message);
    return ExitOf(answer.error());
  }
  PrintLine(stderr, std::to_string(answer->status));
  PrintBody(*answer);
  return ExitOf(answer->status);
}

}  // namespace

int Send(const SendOptions& options) {
  std::optional<std::string> data = options.data;
  if (!options.data_file.empty()) {
    auto read = ReadFile(options.data_file);
    if (!read) return Fail(kNoInput, read.error().message);
    data = *std::move(read);
  }
  auto events = Events::Make(options, std::move(data));
  if (!events) return Fail(kWrongUse, events.error().message);
  if (options.url.empty() == options.outlet.empty()) {
    return Fail(kWrongUse, "send needs a URL or --outlet, and not both");
  }
  if (!options.outlet.empty() || IsBrokerUrl(options.url)) {
    return SendThroughOutlet(options, *events);
  }
  const auto header_lines = MakeHeaderLines(options);
  if (!header_lines) return Fail(kWrongUse, header_lines.error().message);
  const auto client = LoadHttpClient();
  if (!client) return Fail(kBadConfig, client.error().message);

  if (options.mode == "batch") {
    return Post(**client, BatchRequest(options, *events, *header_lines));
  }
  int first_failure = kOk;
  while (const auto event = events->Next()) {
    const int code = Post(**client, OneRequest(options, *event, *header_lines));
    if (first_failure == kOk) first_failure = code;
  }
  return first_failure;
}

}  // namespace cirro::cli
