#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include "cirro/dispatch/handler.h"
#include "cirro/dispatch/handler_call.h"
#include "cirro/dispatch/signature.h"

namespace cirro {

/// Wraps a callable as a Handler. Its parameters say what it is given, each at
/// most once, in any order:
///
///   const Event& or Event       the event
///   const T& or T               its JSON data as a T (needs <cirro/json.h>);
///                               with or without the event. Data that is no
///                               such T is Reject, before the callable runs
///   Context&                    what the runtime knows of the call
///   Completion                  finishes the call later, from any thread
///   std::span<const Event>      several events instead of one; only a Context&
///                               may stand beside it
///
/// It returns one of: nothing (Done), Outcome, Event, Result<Event> (an Error
/// is Retry), EventDraft, std::vector of Event, EventDraft or ReplyItem. With a
/// span: nothing (all Done) or std::vector<Outcome>, one for each event, in
/// order. With a Completion: nothing.
///
/// A generic lambda or overloaded functor is called with (const Event&) or
/// (const Event&, Context&). Any other signature is a compile error that names
/// what is wrong.
///
/// The callable is copied or moved in and called through a const reference
/// from many threads at once, so a `mutable` lambda does not compile; what it
/// captures by reference must outlive the handler. REQUIRES: a function
/// pointer or std::function is not null.
template <typename F>
[[nodiscard]] std::unique_ptr<Handler> MakeHandler(F&& callable) {
  using Callable = std::decay_t<F>;
  using Shape = internal::CallableShape<Callable>;
  if constexpr (!internal::CheckShape<Shape>()) {
    return nullptr;  // A static assertion has failed already.
  } else if constexpr (Shape::Count(internal::Parameter::kBatch) != 0) {
    return std::make_unique<internal::BatchHandler<Callable, Shape>>(
        std::forward<F>(callable));
  } else if constexpr (Shape::Count(internal::Parameter::kCompletion) != 0) {
    return std::make_unique<internal::AsyncHandler<Callable, Shape>>(
        std::forward<F>(callable));
  } else {
    return std::make_unique<internal::SingleHandler<Callable, Shape>>(
        std::forward<F>(callable));
  }
}

}  // namespace cirro
