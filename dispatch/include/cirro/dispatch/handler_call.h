#pragma once

#include <iterator>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "cirro/dispatch/handler.h"
#include "cirro/dispatch/signature_check.h"

// The Handlers that MakeHandler makes, one a form.
namespace cirro::internal {

inline Outcome ToOutcome(Outcome outcome) { return outcome; }
inline Outcome ToOutcome(Event event) { return Reply(std::move(event)); }
// An event that its builder refused is an invalid reply.
inline Outcome ToOutcome(Result<Event> event) {
  return event ? Reply(*std::move(event))
               : Retry("invalid reply: " + event.error().message);
}
inline Outcome ToOutcome(EventDraft draft) { return Reply(std::move(draft)); }
inline Outcome ToOutcome(std::vector<ReplyItem> items) {
  return Reply(std::move(items));
}
template <typename Item>
Outcome ToOutcome(std::vector<Item> items) {
  return Reply(std::vector<ReplyItem>(std::move_iterator(items.begin()),
                                      std::move_iterator(items.end())));
}

template <typename F, typename Shape>
class SingleHandler final : public Handler {
 public:
  template <typename G>
  explicit SingleHandler(G&& callable)
      : Handler(Form::kSingle, kIsSeveral<typename Shape::Returned>),
        callable_(std::forward<G>(callable)) {}

  Outcome Single(const Event& event, Context& context) override {
    using T = typename Shape::Data;
    if constexpr (std::is_void_v<T>) {
      return Call(Arguments<void>{.event = &event, .context = &context});
    } else {
      auto data = TypedData<T>::Read(event);
      if (!data) return Reject(data.error().message);
      return Call(
          Arguments<T>{.event = &event, .context = &context, .data = &*data});
    }
  }

 private:
  template <typename T>
  Outcome Call(Arguments<T> arguments) const {
    if constexpr (std::is_void_v<typename Shape::Returned>) {
      Shape::Invoke(callable_, arguments);
      return Done();
    } else {
      return ToOutcome(Shape::Invoke(callable_, arguments));
    }
  }

  const F callable_;
};

template <typename F, typename Shape>
class BatchHandler final : public Handler {
 public:
  template <typename G>
  explicit BatchHandler(G&& callable)
      : Handler(Form::kBatch), callable_(std::forward<G>(callable)) {}

  std::vector<Outcome> Batch(std::span<const Event> events,
                             Context& context) override {
    const Arguments<void> arguments{.context = &context, .batch = events};
    if constexpr (std::is_void_v<typename Shape::Returned>) {
      Shape::Invoke(callable_, arguments);
      return std::vector<Outcome>(events.size());
    } else {
      return Shape::Invoke(callable_, arguments);
    }
  }

 private:
  const F callable_;
};

template <typename F, typename Shape>
class AsyncHandler final : public Handler {
 public:
  template <typename G>
  explicit AsyncHandler(G&& callable)
      : Handler(Form::kAsync), callable_(std::forward<G>(callable)) {}

  void Async(const Event& event, Context& context,
             Completion completion) override {
    using T = typename Shape::Data;
    if constexpr (std::is_void_v<T>) {
      Shape::Invoke(callable_, Arguments<void>{.event = &event,
                                               .context = &context,
                                               .completion = &completion});
    } else {
      auto data = TypedData<T>::Read(event);
      if (!data) return completion.Finish(Reject(data.error().message));
      Shape::Invoke(callable_, Arguments<T>{.event = &event,
                                            .context = &context,
                                            .completion = &completion,
                                            .data = &*data});
    }
  }

 private:
  const F callable_;
};

}  // namespace cirro::internal
