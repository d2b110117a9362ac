#pragma once

#include <type_traits>

#include "cirro/cloudevents/event.h"
#include "cirro/dispatch/call_types.h"
#include "cirro/dispatch/context.h"

// How MakeHandler reads a callable: its parameters by kind, its return type.
// Nothing here is for function authors.
namespace cirro::internal {

/// The type of the typed parameter among `P...`; void where there is none.
template <typename... P>
struct DataOf {
  using Type = void;
};
template <typename P, typename... Rest>
struct DataOf<P, Rest...> {
  using Type = std::conditional_t<KindOf<P>() == Parameter::kData,
                                  std::remove_cvref_t<P>,
                                  typename DataOf<Rest...>::Type>;
};

/// A callable's return type and parameters. `is_const`: it may be called
/// through a const reference.
template <bool is_const, typename R, typename... P>
struct Shape {
  using Returned = std::remove_cvref_t<R>;
  using Data = typename DataOf<P...>::Type;

  static constexpr bool kKnown = true;
  static constexpr bool kConst = is_const;

  static consteval int Count(Parameter kind) {
    return (0 + ... + (KindOf<P>() == kind ? 1 : 0));
  }
  /// Whether `Test` is true of each parameter of `kind`.
  template <template <typename> typename Test>
  static consteval bool Each(Parameter kind) {
    return (true && ... && (KindOf<P>() != kind || Test<P>::value));
  }
  template <typename F, typename T>
  static R Invoke(const F& callable, Arguments<T> arguments) {
    return callable(Pick<P>(arguments)...);
  }
};

/// An overloaded or generic callable that takes no event.
struct UnknownShape {
  static constexpr bool kKnown = false;
};

template <typename Method>
struct MethodShape : UnknownShape {};  // volatile, &&: nothing we call
template <typename R, typename C, typename... P>
struct MethodShape<R (C::*)(P...) const> : Shape<true, R, P...> {};
template <typename R, typename C, typename... P>
struct MethodShape<R (C::*)(P...) const noexcept> : Shape<true, R, P...> {};
template <typename R, typename C, typename... P>
struct MethodShape<R (C::*)(P...)> : Shape<false, R, P...> {};
template <typename R, typename C, typename... P>
struct MethodShape<R (C::*)(P...) noexcept> : Shape<false, R, P...> {};

// A generic lambda or an overloaded functor has no one signature to read: it
// is tried with an event, then with an event and its context.
template <typename F>
consteval auto ShapeOf() {
  if constexpr (requires { &F::operator(); }) {
    return MethodShape<decltype(&F::operator())>();
  } else if constexpr (std::is_invocable_v<const F&, const Event&>) {
    using R = std::invoke_result_t<const F&, const Event&>;
    return Shape<true, R, const Event&>();
  } else if constexpr (std::is_invocable_v<const F&, const Event&, Context&>) {
    using R = std::invoke_result_t<const F&, const Event&, Context&>;
    return Shape<true, R, const Event&, Context&>();
  } else {
    return UnknownShape();
  }
}

template <typename F>
struct CallableShape : decltype(ShapeOf<F>()) {};
template <typename R, typename... P>
struct CallableShape<R (*)(P...)> : Shape<true, R, P...> {};
template <typename R, typename... P>
struct CallableShape<R (*)(P...) noexcept> : Shape<true, R, P...> {};

}  // namespace cirro::internal
