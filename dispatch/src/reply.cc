#include "reply.h"

#include <algorithm>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <utility>
#include <variant>

#include "cirro/cloudevents/event_draft.h"
#include "cirro/cloudevents/timestamp.h"

namespace cirro::internal {
namespace {

// Cirro's own, so that no other maker of such ids makes the same.
constexpr boost::uuids::uuid kReplyNamespace{
    {0x3f, 0x0c, 0x8d, 0x52, 0x91, 0xe4, 0x4b, 0x6a, 0xa7, 0x1d, 0x5e, 0x20,
     0xc6, 0x94, 0x7b, 0xf3}};

bool Has(const EventDraft& draft, std::string_view name) {
  return std::any_of(
      draft.extensions.begin(), draft.extensions.end(),
      [name](const Extension& extension) { return extension.name == name; });
}

void Carry(EventDraft& draft, std::string_view name, std::string_view text) {
  if (text.empty() || Has(draft, name)) return;
  draft.extensions.emplace_back(std::string(name), text);
}

// What a reply owes to the event it answers, as far as its author left it open.
void Complete(EventDraft& draft, const Delivery& answered,
              std::string_view function, std::uint32_t index,
              const Clock& clock) {
  const Event& event = *answered.event();
  if (draft.id.empty()) {
    draft.id = DerivedId(event.source(), event.id(), function, index);
  }
  if (draft.time.empty()) draft.time = FormatTimestamp(clock.WallTime());

  // A pair belongs together: never one event's parent with another's state.
  const TraceContext& trace = answered.facts.trace;
  if (!Has(draft, "traceparent")) {
    const bool from_transport = !trace.traceparent.empty();
    Carry(draft, "tracestate",
          from_transport ? std::string_view(trace.tracestate)
                         : event.extension("tracestate").value_or(""));
    Carry(draft, "traceparent",
          from_transport ? std::string_view(trace.traceparent)
                         : event.extension("traceparent").value_or(""));
  }
  // Source: CloudEvents "Correlation" extension: "causationid ... SHOULD be
  // the id of the event that directly caused this one".
  if (const auto chain = event.extension("correlationid"); chain) {
    Carry(draft, "correlationid", *chain);
    Carry(draft, "causationid", event.id());
  }
}

CallResult InvalidReply(std::uint32_t index, std::string what) {
  return Failed(ErrorCode::kInvalidReply,
                "reply " + std::to_string(index + 1) + ": " + std::move(what));
}

// The size of the character at the front of `text` if it is a control (C0,
// DEL, C1), ends a line (U+2028, U+2029) or reorders one (Bidi_Control); else
// 0. Source: Unicode 15.0, PropList.txt.
std::size_t HiddenBytes(std::string_view text) noexcept {
  const auto byte = [text](std::size_t at) {
    return at < text.size() ? unsigned{static_cast<unsigned char>(text[at])}
                            : 0U;
  };
  const auto within = [](unsigned value, unsigned first, unsigned last) {
    return first <= value && value <= last;
  };
  if (byte(0) < 0x20 || byte(0) == 0x7F) return 1;
  if (byte(0) == 0xC2) return within(byte(1), 0x80, 0x9F) ? 2 : 0;
  if (byte(0) == 0xD8) return byte(1) == 0x9C ? 2 : 0;  // U+061C
  if (byte(0) != 0xE2) return 0;
  const bool hidden =
      byte(1) == 0x80
          ? within(byte(2), 0x8E, 0x8F) || within(byte(2), 0xA8, 0xAE)
          : byte(1) == 0x81 && within(byte(2), 0xA6, 0xA9);
  return hidden ? 3 : 0;
}

}  // namespace

CallResult Failed(ErrorCode code, std::string message) {
  return {.kind = Outcome::Kind::kRetry,
          .error = Error{code, std::move(message)}};
}

CallResult ToResult(Outcome outcome, const Delivery& answered,
                    std::string_view function, const Clock& clock,
                    const ReplyBounds& bounds) {
  CallResult result{.kind = outcome.kind()};
  switch (outcome.kind()) {
    case Outcome::Kind::kDone:
      break;
    case Outcome::Kind::kRetry:
      result.after = outcome.after();
      if (result.after > kLongestDelay) result.after = kLongestDelay;
      result.error =
          Error{ErrorCode::kFunctionFailed, ErrorText(outcome.reason())};
      break;
    case Outcome::Kind::kReject:
      result.error = Error{ErrorCode::kRejected, ErrorText(outcome.reason())};
      break;
    case Outcome::Kind::kReply: {
      auto items = std::move(outcome).replies();
      result.replies.reserve(items.size());
      std::size_t all_bytes = 0;
      for (std::uint32_t i = 0; i < items.size(); ++i) {
        if (auto* event = std::get_if<Event>(&items[i]); event != nullptr) {
          result.replies.push_back(std::move(*event));
        } else {
          auto& draft = std::get<EventDraft>(items[i]);
          if (draft.source.empty()) {
            return InvalidReply(i, "a reply names its `source`");
          }
          Complete(draft, answered, function, i, clock);
          auto built = Build(draft);
          if (!built) return InvalidReply(i, built.error().message);
          result.replies.push_back(*std::move(built));
        }
        const std::size_t bytes = result.replies.back().memory_size();
        if (bytes > bounds.event_bytes) {
          return InvalidReply(i, std::to_string(bytes) +
                                     " bytes; `max_reply_bytes` is " +
                                     std::to_string(bounds.event_bytes));
        }
        all_bytes += bytes;
        if (all_bytes > bounds.all_bytes) {
          return InvalidReply(i, "with those before it " +
                                     std::to_string(all_bytes) +
                                     " bytes; `max_in_flight_bytes` is " +
                                     std::to_string(bounds.all_bytes));
        }
      }
    }
  }
  return result;
}

std::string DerivedId(std::string_view source, std::string_view id,
                      std::string_view function, std::uint32_t index) {
  // No attribute holds a NUL, so the parts cannot run into each other.
  std::string name;
  for (const std::string_view part : {source, id, function}) {
    name.append(part).push_back('\0');
  }
  name += std::to_string(index);
  boost::uuids::name_generator_sha1 generate(kReplyNamespace);
  return boost::uuids::to_string(generate(name));
}

std::string ErrorText(std::string_view text) {
  constexpr std::size_t kMost = 1024;
  std::string_view cut = text.substr(0, kMost);
  if (text.size() > kMost) {
    const auto back = [&cut] { return static_cast<unsigned char>(cut.back()); };
    while (!cut.empty() && (back() & 0xC0) == 0x80) cut.remove_suffix(1);
    if (!cut.empty() && back() >= 0xC0) cut.remove_suffix(1);
  }
  std::string shown;
  shown.reserve(cut.size());
  while (!cut.empty()) {
    const std::size_t hidden = HiddenBytes(cut);
    shown += hidden == 0 ? cut.front() : ' ';
    cut.remove_prefix(std::max<std::size_t>(hidden, 1));
  }
  return shown;
}

}  // namespace cirro::internal
