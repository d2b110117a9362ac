#include "answer.h"

#include <array>
#include <charconv>
#include <utility>

#include "cirro/cloudevents/json_format.h"
#include "cirro/cloudevents/utf8.h"
#include "status.h"

namespace cirro::internal::http {
namespace {

constexpr std::string_view kProblemLine =
    "content-type: application/problem+json\r\n";

void AppendNumber(std::uint64_t number, std::string& out) {
  std::array<char, 20> digits;
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void BeginHead(int status, Answer& out) {
  out.head = "HTTP/1.1 ";
  AppendNumber(static_cast<std::uint64_t>(status), out.head);
  out.head += ' ';
  out.head += ReasonPhrase(status);
  out.head += "\r\n";
}

void EndHead(Answer& out) {
  out.head += "content-length: ";
  AppendNumber(out.body.size(), out.head);
  out.head += "\r\n";
}

void AppendRetryAfter(int status, std::chrono::milliseconds known,
                      std::string& head) {
  const auto seconds = RetryAfter(status, known);
  if (seconds.count() == 0) return;
  head += "retry-after: ";
  AppendNumber(static_cast<std::uint64_t>(seconds.count()), head);
  head += "\r\n";
}

void AppendAllow(std::string_view methods, std::string& head) {
  head += "allow: ";
  head += methods;
  head += "\r\n";
}

// RFC 8259 section 7. A function's author may give any bytes as a reason: where
// they are not UTF-8, what is beyond ASCII becomes '?'.
void AppendJsonText(std::string_view text, std::string& out) {
  const bool utf8 = IsUtf8(text);
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += byte >= 0x80 && !utf8 ? '?' : c;
    }
  }
  out += '"';
}

void AppendMember(std::string_view name, std::string_view text,
                  std::string& out) {
  out += ",\"";
  out += name;
  out += "\":";
  AppendJsonText(text, out);
}

void BeginProblem(int status, std::string& out) {
  out = R"({"title":)";
  AppendJsonText(ReasonPhrase(status), out);
  out += R"(,"status":)";
  AppendNumber(static_cast<std::uint64_t>(status), out);
}

void FinishProblem(int status, std::chrono::milliseconds retry_after,
                   Answer& out) {
  BeginHead(status, out);
  out.head += kProblemLine;
  AppendRetryAfter(status, retry_after, out.head);
  EndHead(out);
}

}  // namespace

void WriteDone(int status, Answer& out) {
  out.body.clear();
  BeginHead(status, out);
  // "A server MUST NOT send a Content-Length header field in any response
  // with a status code of 1xx (Informational) or 204 (No Content)."
  // RFC 9110 section 8.6
  if (status != 204) EndHead(out);
}

void WriteReply(const Event& event, ContentMode mode, Answer& out) {
  BeginHead(200, out);
  std::string buffer;
  const std::string_view body = EncodeHttp(mode, event, out.head, buffer);
  if (body.data() == buffer.data()) {
    out.body = std::move(buffer);
  } else {
    out.body.assign(body);
  }
  EndHead(out);
}

void WriteProblem(int status, std::string_view code, std::string_view detail,
                  std::chrono::milliseconds retry_after, Answer& out) {
  BeginProblem(status, out.body);
  if (!detail.empty()) AppendMember("detail", detail, out.body);
  if (!code.empty()) AppendMember("code", code, out.body);
  out.body += '}';
  FinishProblem(status, retry_after, out);
}

// ---- A batch.

namespace {

// Of one answer: a hostile batch has thousands of bad members.
constexpr std::size_t kMaxDetails = 16;

// Lets each go when it is written, so that all of them are never there twice.
// `separator` is what stands before the first.
void AppendReplies(std::vector<Event>& replies, std::string_view& separator,
                   std::string& out) {
  for (Event& reply : replies) {
    out += std::exchange(separator, ",");
    EncodeJson(reply, out);
    const Event written = std::move(reply);
  }
  replies = {};
}

}  // namespace

void WriteBatchReply(std::span<EventOutcome> outcomes, Answer& out) {
  BeginHead(200, out);
  out.head += kBatchHeaderLine;
  std::string_view separator = "[";
  for (EventOutcome& outcome : outcomes) {
    AppendReplies(outcome.replies, separator, out.body);
  }
  out.body += ']';
  EndHead(out);
}

void WriteBatchProblem(int status, std::span<EventOutcome> outcomes,
                       std::chrono::milliseconds retry_after, Answer& out) {
  BeginProblem(status, out.body);
  out.body += R"(,"events":[)";
  std::size_t details = 0;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    EventOutcome& outcome = outcomes[i];
    if (i != 0) out.body += ',';
    out.body += R"({"status":)";
    AppendNumber(static_cast<std::uint64_t>(outcome.status), out.body);
    if (outcome.status >= 300) {
      AppendMember("code", ToString(outcome.code), out.body);
      if (!outcome.detail.empty() && details < kMaxDetails) {
        ++details;
        AppendMember("detail", outcome.detail, out.body);
      }
    } else if (IsFinal(status) && !outcome.replies.empty()) {
      std::string_view separator = R"(,"replies":[)";
      AppendReplies(outcome.replies, separator, out.body);
      out.body += ']';
    }
    out.body += '}';
  }
  out.body += "]}";
  FinishProblem(status, retry_after, out);
}

void WriteRefusal(const HttpRefusal& refusal, Answer& out) {
  WriteProblem(refusal.status, ToString(refusal.reason), refusal.detail, {},
               out);
}

void WriteOptions(std::string_view allow, Answer& out) {
  out.body.clear();
  BeginHead(200, out);
  AppendAllow(allow, out.head);
  EndHead(out);
}

void WriteMethodNotAllowed(std::string_view allow, Answer& out) {
  WriteProblem(405, ToString(HttpReject::kMethod), {}, {}, out);
  AppendAllow(allow, out.head);
}

void WriteSideReply(const HttpReply& reply, Answer& out) {
  BeginHead(reply.status, out);
  if (!reply.content_type.empty()) {
    out.head += "content-type: ";
    out.head += reply.content_type;
    out.head += "\r\n";
  }
  out.head += reply.header_lines;
  out.body = reply.body;
  if (reply.status != 204) EndHead(out);
}

}  // namespace cirro::internal::http
