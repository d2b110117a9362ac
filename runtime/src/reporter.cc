#include "reporter.h"

#include <optional>
#include <string>

#include "cirro/cloudevents/extensions.h"
#include "units.h"

namespace cirro::internal {
namespace {

std::string_view TraceId(const TraceContext& trace) {
  const auto parent = ParseTraceParent(trace.traceparent);
  return parent ? parent->trace_id : std::string_view();
}

// The transport's trace, else the event's own.
std::string_view TraceId(const Event* event, const TraceContext& trace) {
  const std::string_view id = TraceId(trace);
  if (!id.empty() || event == nullptr) return id;
  const auto own =
      ParseTraceParent(event->extension("traceparent").value_or(""));
  return own ? own->trace_id : std::string_view();
}

}  // namespace

void Reporter::Received(const Delivery& delivery) noexcept {
  metrics_.Received(delivery);
}

void Reporter::Started(std::string_view function, const Delivery& delivery,
                       int attempt) noexcept {
  metrics_.Started(function, delivery, attempt);
}

void Reporter::Finished(std::string_view function, const Delivery& delivery,
                        Outcome::Kind outcome, const Error* error,
                        Duration took) noexcept {
  metrics_.Finished(function, delivery, outcome, error, took);
  if (error == nullptr) return;
  const LogLevel level = error->code == ErrorCode::kRejected
                             ? LogLevel::kInfo
                             : LogLevel::kWarning;
  ReportWithin(failed_, level, "function did not succeed", function, delivery,
               *error);
}

void Reporter::Settled(const Delivery& delivery, const Settlement& settlement,
                       Duration since_received) noexcept {
  metrics_.Settled(delivery, settlement, since_received);
  if (!settlement.error) return;
  const Error& error = *settlement.error;
  switch (error.code) {
    case ErrorCode::kNoFunction:
      if (delivery.event() != nullptr &&
          unmatched_.First(delivery.event()->type(), clock_.Now())) {
        Report(LogLevel::kWarning,
               "no function is registered for this type; said once an hour", {},
               delivery, &error);
      }
      return;
    case ErrorCode::kInvalidEvent:
    case ErrorCode::kUnsupported:
    case ErrorCode::kTooLarge:
      ReportWithin(invalid_, LogLevel::kInfo,
                   "message is no event that can be taken", {}, delivery,
                   error);
      return;
    case ErrorCode::kOverloaded:
    case ErrorCode::kDraining:
      // One line for each refusal would make an overload worse.
      ReportWithin(refused_, LogLevel::kDebug, "delivery was given back", {},
                   delivery, error);
      return;
    case ErrorCode::kRejected:
    case ErrorCode::kFunctionFailed:
      return;  // Finished has told.
    case ErrorCode::kInvalidConfig:
    case ErrorCode::kConflict:
    case ErrorCode::kInvalidReply:
    case ErrorCode::kDeadlineExceeded:
    case ErrorCode::kUnavailable:
    case ErrorCode::kUnroutable:
    case ErrorCode::kRefused:
    case ErrorCode::kTimedOut:
    case ErrorCode::kUnknownOutcome:
    case ErrorCode::kInternal:
      ReportWithin(undone_, LogLevel::kWarning, "delivery was not done", {},
                   delivery, error);
      return;
  }
}

void Reporter::Hung(std::string_view function,
                    const Delivery& delivery) noexcept {
  metrics_.Hung(function, delivery);
  Report(LogLevel::kError,
         "function is past its deadline and still runs; heed "
         "Context::stop_token()",
         function, delivery, nullptr);
}

void Reporter::Retrying(std::string_view function, const Delivery& delivery,
                        int next_attempt,
                        std::chrono::milliseconds delay) noexcept {
  metrics_.Retrying(function, delivery, next_attempt, delay);
  std::size_t left_out = 0;
  if (!logger_.Takes(LogLevel::kDebug) ||
      !retried_.Take(clock_.Now(), left_out)) {
    return;
  }
  const std::string message = "attempt " + std::to_string(next_attempt) +
                              " of this event follows after " +
                              FormatDuration(delay);
  Report(LogLevel::kDebug, message, function, delivery, nullptr, left_out);
}

void Reporter::Kept(std::string_view function, const Delivery& delivery,
                    DeadReason reason, const Error& error) noexcept {
  metrics_.Kept(function, delivery, reason, error);
  ReportGivenUp(given_up_, LogLevel::kWarning,
                "event is given up, and there is no place to keep it: it goes "
                "on being tried; set dispatch.dead_letter",
                function, delivery, &error, reason, {});
}

void Reporter::Dropped(std::string_view function, const Delivery& delivery,
                       DeadReason reason, const Error& error) noexcept {
  metrics_.Dropped(function, delivery, reason, error);
  ReportGivenUp(given_up_, LogLevel::kWarning,
                "event is given up and lost, as on_exhausted says", function,
                delivery, &error, reason, {});
}

void Reporter::Buried(const DeadLetterFacts& facts, const Delivery& delivery,
                      std::string_view place) noexcept {
  metrics_.Buried(facts, delivery, place);
  ReportGivenUp(given_up_, LogLevel::kWarning,
                "event is given up and kept as a dead letter", facts.function,
                delivery, nullptr, facts.reason, place);
}

void Reporter::NotBuried(const DeadLetterFacts& facts, const Delivery& delivery,
                         std::string_view place, const Error& error,
                         bool stalled) noexcept {
  metrics_.NotBuried(facts, delivery, place, error, stalled);
  ReportGivenUp(not_buried_, stalled ? LogLevel::kError : LogLevel::kWarning,
                stalled ? "no place takes this dead letter; its source waits "
                          "until one does"
                        : "a place did not take this dead letter",
                facts.function, delivery, &error, facts.reason, place);
}

void Reporter::Duplicate(std::string_view function,
                         const Delivery& delivery) noexcept {
  metrics_.Duplicate(function, delivery);
}

void Reporter::Lost(std::string_view part, std::uint64_t messages) noexcept {
  metrics_.Lost(part, messages);
}

// The inlet says which message it waits for, and which setting bounds it.
void Reporter::Held(std::string_view part, std::string_view partition,
                    bool waits) noexcept {
  metrics_.Held(part, partition, waits);
}

void Reporter::ReportGivenUp(LineQuota& quota, LogLevel level,
                             std::string_view message,
                             std::string_view function,
                             const Delivery& delivery, const Error* error,
                             DeadReason reason,
                             std::string_view place) noexcept {
  std::size_t left_out = 0;
  if (!logger_.Takes(level) || !quota.Take(clock_.Now(), left_out)) return;
  Report(level, message, function, delivery, error, left_out, ToString(reason),
         place);
}

void Reporter::Noted(LogLevel level, std::string_view part,
                     std::string_view message) noexcept {
  std::size_t left_out = 0;
  if (!logger_.Takes(level) || !noted_.Take(clock_.Now(), left_out)) return;
  logger_.Write(level, message,
                {{"part", part}, {"lines_left_out", LeftOut(left_out)}});
}

void Reporter::Failed(std::string_view part, const Error& error) noexcept {
  logger_.Write(LogLevel::kError, error.message,
                {{"part", part}, {"code", ToString(error.code)}});
  part_failed_ = true;
  if (end_.run != nullptr) end_.run(end_.target, end_.argument);
}

void Reporter::Logged(LogLevel level, std::string_view function,
                      const Event* event, const TraceContext& trace,
                      std::string_view message) noexcept {
  metrics_.Logged(level, function, event, trace, message);
  if (!logger_.Takes(level)) return;
  const std::string_view none;
  logger_.Write(level, message,
                {{"function", function},
                 {"event_id", event == nullptr ? none : event->id()},
                 {"event_source", event == nullptr ? none : event->source()},
                 {"trace_id", TraceId(event, trace)}});
}

void Reporter::Report(LogLevel level, std::string_view message,
                      std::string_view function, const Delivery& delivery,
                      const Error* error, std::size_t left_out,
                      std::string_view reason,
                      std::string_view place) noexcept {
  if (!logger_.Takes(level)) return;
  const Event* const event = delivery.event();
  const std::string_view none;
  const std::string_view why = error == nullptr ? none : error->message;
  const std::string position = delivery.position();
  logger_.Write(level, message,
                {{"function", function},
                 {"code", error == nullptr ? none : ToString(error->code)},
                 {"error", why},
                 {"inlet", delivery.inlet().name},
                 {"event_id", event == nullptr ? none : event->id()},
                 {"event_source", event == nullptr ? none : event->source()},
                 {"event_type", event == nullptr ? none : event->type()},
                 {"position", position},
                 {"reason", reason},
                 {"place", place},
                 {"trace_id", TraceId(event, delivery.facts.trace)},
                 {"lines_left_out", LeftOut(left_out)}});
}

void Reporter::ReportWithin(LineQuota& quota, LogLevel level,
                            std::string_view message, std::string_view function,
                            const Delivery& delivery,
                            const Error& error) noexcept {
  std::size_t left_out = 0;
  if (!logger_.Takes(level) || !quota.Take(clock_.Now(), left_out)) return;
  Report(level, message, function, delivery, &error, left_out);
}

void Reporter::Forgiven(Leniency forgiven, const Event& event) noexcept {
  std::string rules;
  const auto add = [&](Leniency one, std::string_view text) {
    if (!Has(forgiven, one)) return;
    rules.append(rules.empty() ? "" : "; ").append(text);
  };
  add(Leniency::kLiteralValue, "a header value that is not percent-encoded");
  add(Leniency::kLatin1, "header bytes that are not UTF-8");
  add(Leniency::kLiteralUri, "a URI that is one only as it came");
  add(Leniency::kIgnoredHeader, "a ce- header that names no attribute");
  // A source may break several rules, each of which is told.
  const std::string key = rules + ' ' + std::string(event.source());
  if (!forgiven_.First(key, clock_.Now())) return;
  logger_.Write(LogLevel::kWarning,
                "events of this source break a rule and are taken (http.strict "
                "refuses them); said once an hour",
                {{"rule", rules},
                 {"event_source", event.source()},
                 {"event_id", event.id()},
                 {"event_type", event.type()}});
}

}  // namespace cirro::internal
