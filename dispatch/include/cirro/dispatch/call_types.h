#pragma once

#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/completion.h"
#include "cirro/dispatch/context.h"
#include "cirro/dispatch/outcome.h"

// What goes into a call of a user's function, by kind, and what may come out.
// Nothing here is for function authors.
namespace cirro::internal {

enum class Parameter { kEvent, kBatch, kData, kContext, kCompletion };

template <typename P>
consteval Parameter KindOf() {
  using T = std::remove_cvref_t<P>;
  if (std::is_same_v<T, Event>) return Parameter::kEvent;
  if (std::is_same_v<T, std::span<const Event>>) return Parameter::kBatch;
  if (std::is_same_v<T, Context>) return Parameter::kContext;
  if (std::is_same_v<T, Completion>) return Parameter::kCompletion;
  return Parameter::kData;
}

/// What a call can hand out; each pointer is set where the form has such a
/// parameter.
template <typename T>
struct Arguments {
  const Event* event = nullptr;
  Context* context = nullptr;
  std::span<const Event> batch{};
  Completion* completion = nullptr;
  T* data = nullptr;
};

template <typename P, typename T>
decltype(auto) Pick(Arguments<T>& from) {
  constexpr Parameter kKind = KindOf<P>();
  if constexpr (kKind == Parameter::kEvent && std::is_rvalue_reference_v<P>) {
    return Event(*from.event);
  } else if constexpr (kKind == Parameter::kEvent) {
    return *from.event;
  } else if constexpr (kKind == Parameter::kBatch) {
    return std::span<const Event>(from.batch);
  } else if constexpr (kKind == Parameter::kContext) {
    return *from.context;
  } else if constexpr (kKind == Parameter::kCompletion) {
    return std::move(*from.completion);
  } else {
    return std::move(*from.data);
  }
}

/// What a function may return that takes one event.
template <typename R>
inline constexpr bool kIsSeveral = std::is_same_v<R, std::vector<Event>> ||
                                   std::is_same_v<R, std::vector<EventDraft>> ||
                                   std::is_same_v<R, std::vector<ReplyItem>>;
template <typename R>
inline constexpr bool kIsReply =
    std::is_void_v<R> || std::is_same_v<R, Outcome> ||
    std::is_same_v<R, Event> || std::is_same_v<R, EventDraft> ||
    std::is_same_v<R, Result<Event>> || kIsSeveral<R>;

/// And one that takes a batch.
template <typename R>
inline constexpr bool kIsOneEach = std::is_same_v<R, std::vector<Outcome>>;

}  // namespace cirro::internal
