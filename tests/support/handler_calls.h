#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/dispatch/completion.h"
#include "cirro/dispatch/context.h"
#include "cirro/dispatch/handler.h"

namespace cirro::test {

/// An event with the type and data that a handler's test cares for.
inline Event EventWith(Data data = {}, std::string_view type = "com.example.t",
                       std::string_view id = "1") {
  EventBuilder builder;
  builder.id(id).source("/tests").type(type);
  if (data.kind != DataKind::kNone) builder.data(std::move(data));
  Result<Event> event = builder.Build();
  return *std::move(event);
}

/// Stands behind a Context: publishes nothing, keeps no log.
class QuietHost final : public ContextHost {
 public:
  void Log(LogLevel, std::string_view, const Event*, const TraceContext&,
           std::string_view) noexcept override {}
  Result<void> Publish(std::uint64_t /*call*/, std::string_view,
                       std::span<const Event>, TimePoint) noexcept override {
    return Error{ErrorCode::kInvalidConfig, "no outlet in this test"};
  }
};

inline Outcome CallSingle(Handler& handler, const Event& event) {
  QuietHost host;
  Context context(host, &event, {.function = "f", .inlet = "test"});
  return handler.Single(event, context);
}

inline std::vector<Outcome> CallBatch(Handler& handler,
                                      std::span<const Event> events) {
  QuietHost host;
  Context context(host, nullptr, {.function = "f", .inlet = "test"});
  return handler.Batch(events, context);
}

/// Remembers how an asynchronous call finished.
class FinishListener final : public CompletionListener {
 public:
  void OnFinished(std::uint64_t, Outcome given) noexcept override {
    outcome = std::move(given);
  }

  std::optional<Outcome> outcome;
};

/// The outcome if the call is finished when it returns, else nothing.
inline std::optional<Outcome> CallAsync(Handler& handler, const Event& event) {
  QuietHost host;
  Context context(host, &event, {.function = "f", .inlet = "test"});
  const auto listener = std::make_shared<FinishListener>();
  handler.Async(event, context, Completion(listener, 7));
  return listener->outcome;
}

}  // namespace cirro::test
