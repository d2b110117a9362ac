#include "cirro/dispatch/dead_letter.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <span>
#include <utility>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/cloudevents/utf8.h"
#include "reply.h"

namespace cirro {
namespace {

constexpr std::string_view kPrefix = "cirro-dlq-";
constexpr std::size_t kMostText = 1024;

constexpr std::array kReasons = {DeadReason::kExhausted, DeadReason::kRejected,
                                 DeadReason::kMalformed, DeadReason::kUnmatched,
                                 DeadReason::kCrashed};

// The facts that are plain text, in the order of their headers.
struct TextFact {
  std::string_view name;
  std::string DeadLetterFacts::*member;
};
constexpr std::array kTextFacts = {
    TextFact{"function", &DeadLetterFacts::function},
    TextFact{"inlet", &DeadLetterFacts::inlet},
    TextFact{"position", &DeadLetterFacts::position},
    TextFact{"first-error", &DeadLetterFacts::first_error},
    TextFact{"last-error", &DeadLetterFacts::last_error}};

constexpr char Lower(char c) noexcept {
  return 'A' <= c && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool SameName(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

// The size of the UTF-8 character at the front of `text`; 0 where there is
// none.
std::size_t CharacterBytes(std::string_view text) noexcept {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = lead < 0x80   ? 1
                           : lead < 0xE0 ? 2
                           : lead < 0xF0 ? 3
                                         : 4;
  return size <= text.size() && IsUtf8(text.substr(0, size)) ? size : 0;
}

// `text` as an attribute and a header can have it, 1 KiB at most: what is no
// UTF-8 becomes U+FFFD, what no attribute may hold a space.
std::string Clean(std::string_view text) {
  std::string clean;
  while (!text.empty() && clean.size() <= kMostText) {
    const std::size_t size = CharacterBytes(text);
    const std::string_view character = text.substr(0, size);
    if (size == 0) {
      clean += "\xEF\xBF\xBD";
    } else if (IsAttributeString(character)) {
      clean += character;
    } else {
      clean += ' ';
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return internal::ErrorText(clean);
}

Error BadHeader(std::string_view name, std::string_view value,
                std::string_view rule) {
  std::string message(kPrefix);
  message.append(name).append(": ").append(rule).append(", not \"");
  message.append(Clean(value.substr(0, 64))).append("\"");
  return Error{ErrorCode::kInvalidEvent, std::move(message)};
}

std::optional<DeadReason> ReasonNamed(std::string_view name) noexcept {
  const auto* const found = std::find_if(
      kReasons.begin(), kReasons.end(),
      [name](DeadReason reason) { return ToString(reason) == name; });
  if (found == kReasons.end()) return std::nullopt;
  return *found;
}

std::optional<int> Count(std::string_view text) noexcept {
  int value = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end || value < 0) return {};
  return value;
}

// Reads the value of `cirro-dlq-NAME`; a name that is not known is passed over.
Result<void> Read(std::string_view name, std::string_view value,
                  DeadLetterFacts& facts) {
  if (SameName(name, "reason")) {
    const auto reason = ReasonNamed(value);
    if (!reason) return BadHeader(name, value, "one of Cirro's reasons");
    facts.reason = *reason;
  } else if (SameName(name, "attempts")) {
    const auto attempts = Count(value);
    if (!attempts) return BadHeader(name, value, "a count");
    facts.attempts = *attempts;
  } else if (SameName(name, "time")) {
    const auto time = ParseTimestamp(value);
    if (!time) return BadHeader(name, value, "an RFC 3339 time");
    facts.time = *time;
  } else {
    const auto* const fact =
        std::find_if(kTextFacts.begin(), kTextFacts.end(),
                     [name](const TextFact& text_fact) {
                       return SameName(name, text_fact.name);
                     });
    if (fact == kTextFacts.end()) return {};
    if (value.size() > kMostText || !IsAttributeString(value)) {
      return BadHeader(name, value,
                       "UTF-8 of 1 KiB at most, without control characters");
    }
    facts.*fact->member = value;
  }
  return {};
}

// What the HTTP receiver would have answered: dead letter sinks of Knative's
// senders tell passing faults from broken events by it.
std::int32_t StatusOf(const DeadLetterFacts& facts) noexcept {
  switch (facts.reason) {
    case DeadReason::kExhausted:
      return facts.last_error.starts_with("deadline_exceeded") ? 504 : 500;
    case DeadReason::kRejected:
      return 422;
    case DeadReason::kMalformed:
      return 400;
    case DeadReason::kUnmatched:
      return 404;
    case DeadReason::kCrashed:
      return 500;
  }
  return 500;
}

// Knative's channels send base64 and cut it at 1,024 characters: 768 bytes.
// Source: knative.dev/eventing, pkg/channel/message_dispatcher.go.
std::string CutForKnative(std::string text) {
  std::size_t end = std::min<std::size_t>(text.size(), 768);
  const auto inside = [&text](std::size_t at) {
    return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  };
  while (end < text.size() && end > 0 && inside(end)) --end;
  text.resize(end);
  return text;
}

// An event that stands for what is none. The same letter gives the same id, so
// that a second try to send it can be recognised.
EventBuilder Standing(const Malformed& malformed,
                      const DeadLetterFacts& facts) {
  const std::string time = facts.time ? FormatTimestamp(*facts.time) : "";
  const std::string& which =
      facts.position.empty() ? malformed.bytes : facts.position;
  EventBuilder builder;
  builder.id(internal::DerivedId(facts.inlet, which + time, facts.function, 0))
      .source("urn:cirro:malformed")
      .type("dev.cirro.malformed")
      .time(time);
  if (malformed.has_bytes) builder.data(Binary(malformed.bytes));
  return builder;
}

}  // namespace

std::string_view ToString(DeadReason reason) noexcept {
  switch (reason) {
    case DeadReason::kExhausted:
      return "exhausted";
    case DeadReason::kRejected:
      return "rejected";
    case DeadReason::kMalformed:
      return "malformed";
    case DeadReason::kUnmatched:
      return "unmatched";
    case DeadReason::kCrashed:
      return "crashed";
  }
  return "unknown";
}

MessageHeaders DeadLetterHeaders(const DeadLetterFacts& facts) {
  MessageHeaders headers;
  const auto add = [&headers](std::string_view name, std::string value) {
    if (value.empty()) return;
    headers.emplace_back(std::string(kPrefix).append(name), std::move(value));
  };
  add("reason", std::string(ToString(facts.reason)));
  for (const TextFact& fact : kTextFacts) {
    add(fact.name, Clean(facts.*fact.member));
  }
  add("attempts", std::to_string(facts.attempts));
  if (facts.time) add("time", FormatTimestamp(*facts.time));
  return headers;
}

Result<std::optional<DeadLetterFacts>> ParseDeadLetterHeaders(
    const MessageHeaders& headers) {
  DeadLetterFacts facts;
  bool found = false;
  // Where one comes twice the last counts: a place writes its own at the end.
  for (const auto& [name, value] : headers) {
    if (!SameName(std::string_view(name).substr(0, kPrefix.size()), kPrefix)) {
      continue;
    }
    const std::string_view rest = std::string_view(name).substr(kPrefix.size());
    auto read = Read(rest, value, facts);
    if (!read) return read.error();
    found = found || SameName(rest, "reason");
  }
  std::optional<DeadLetterFacts> result;
  if (found) result = std::move(facts);
  return result;
}

bool IsDeadLetterHeader(std::string_view name) noexcept {
  return SameName(name.substr(0, kPrefix.size()), kPrefix) ||
         SameName(name, kRedriveHeader);
}

Result<Event> DeadLetterEvent(const DeadLetter& letter) {
  const DeadLetterFacts& facts = letter.facts;
  const Event* const event = std::get_if<Event>(&letter.content);
  EventBuilder builder =
      event != nullptr ? EventBuilder(*event)
                       : Standing(std::get<Malformed>(letter.content), facts);
  const auto add = [&builder](std::string_view name, std::string value) {
    // One that came with the event speaks of another failure.
    builder.RemoveExtension(name);
    if (value.empty()) return;
    builder.extension(Extension(std::string(name), std::move(value)));
  };
  const std::string error = CutForKnative(Clean(facts.last_error));
  builder.extension(Extension("knativeerrorcode", StatusOf(facts)));
  builder.RemoveExtension("knativeerrordata");
  if (!error.empty()) {
    builder.extension(
        Extension("knativeerrordata", std::as_bytes(std::span(error))));
  }
  add("knativeerrordest", Clean(facts.function));
  add("cirrodlqreason", std::string(ToString(facts.reason)));
  add("cirrodlqinlet", Clean(facts.inlet));
  add("cirrodlqposition", Clean(facts.position));
  builder.extension(Extension("cirrodlqattempts", facts.attempts));
  return builder.Build();
}

}  // namespace cirro
