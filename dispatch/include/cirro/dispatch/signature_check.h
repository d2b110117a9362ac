#pragma once

#include <type_traits>

#include "cirro/dispatch/parameter_check.h"
#include "cirro/dispatch/signature.h"

// What is wrong with a handler's signature, said at compile time.
namespace cirro::internal {

#define CIRRO_CHECK(condition, message)                \
  static_assert(condition, "Cirro handler: " message); \
  correct = correct && (condition)

/// True, or a static assertion fails with a sentence for the author.
template <typename Shape>
consteval bool CheckShape() {
  bool correct = true;
  if constexpr (!Shape::kKnown) {
    CIRRO_CHECK(Shape::kKnown,
                "cannot tell what it takes: an overloaded or generic callable "
                "must take (const Event&) or (const Event&, Context&); write "
                "the parameter types out for any other form");
  } else {
    using enum Parameter;
    using R = typename Shape::Returned;
    constexpr int kEvents = Shape::Count(kEvent);
    constexpr int kTyped = Shape::Count(kData);
    constexpr bool kIsBatch = Shape::Count(kBatch) != 0;
    constexpr bool kIsAsync = Shape::Count(kCompletion) != 0;
    CIRRO_CHECK(Shape::kConst,
                "it is called from many threads at once, so it must be "
                "callable while const: drop 'mutable' (or make operator() "
                "const) and guard what changes");
    CIRRO_CHECK(Shape::template Each<IsShared>(kEvent),
                "takes the event as 'const Event&' or 'Event': events are "
                "immutable");
    CIRRO_CHECK(Shape::template Each<IsShared>(kBatch),
                "takes a batch as 'std::span<const Event>'");
    CIRRO_CHECK(Shape::template Each<IsBorrowed>(kContext),
                "takes the context as 'Context&': it belongs to the call");
    CIRRO_CHECK(Shape::template Each<IsTaken>(kCompletion),
                "takes the completion by value ('Completion'): it is a duty "
                "that moves to the function");
    CIRRO_CHECK(Shape::template Each<IsData>(kData),
                "a parameter is none of: const Event&, const T& (typed data), "
                "Context&, Completion, std::span<const Event>");
    CIRRO_CHECK(Shape::template Each<IsOwner>(kData),
                "takes typed data that owns what it holds: 'const "
                "std::string&' instead of a string_view, 'const "
                "std::vector<T>&' instead of a span");
    CIRRO_CHECK(kEvents <= 1 && Shape::Count(kBatch) <= 1 &&
                    Shape::Count(kContext) <= 1 &&
                    Shape::Count(kCompletion) <= 1,
                "takes a parameter of the same kind twice");
    CIRRO_CHECK(kTyped <= 1,
                "takes two types of data: an event has one; only one "
                "parameter may be other than Event, Context, Completion, "
                "std::span<const Event>");
    CIRRO_CHECK(kIsBatch || kEvents + kTyped != 0,
                "takes no event: its parameters must have one of const "
                "Event&, const T& (typed data), std::span<const Event>");
    CIRRO_CHECK(!kIsBatch || (kEvents + kTyped == 0 && !kIsAsync),
                "takes a batch: beside std::span<const Event> only Context& "
                "may stand");
    CIRRO_CHECK(Shape::template Each<IsShared>(kData),
                "takes typed data as 'const T&' or 'T'");
    CIRRO_CHECK(!Shape::template Each<IsData>(kData) || kTyped > 1 ||
                    Shape::template Each<IsDataKnown>(kData),
                "takes typed data: #include <cirro/json.h>");
    CIRRO_CHECK(!kIsAsync || std::is_void_v<R>,
                "takes a Completion, so it returns nothing: the outcome goes "
                "to Completion::Finish");
    CIRRO_CHECK(!kIsBatch || std::is_void_v<R> || kIsOneEach<R>,
                "takes a batch, so it returns nothing or "
                "std::vector<Outcome>, one for each event");
    CIRRO_CHECK(kIsBatch || kIsReply<R>,
                "returns none of: nothing, Outcome, Event, Result<Event>, "
                "EventDraft, std::vector of Event, EventDraft or ReplyItem");
  }
  return correct;
}

#undef CIRRO_CHECK

}  // namespace cirro::internal
