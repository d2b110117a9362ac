#pragma once

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "cirro/cloudevents/error.h"

namespace cirro {

/// A `T`, or the `Error` that explains why there is none.
///
/// The names are those of std::expected. The class is nodiscard: an ignored
/// failure does not compile.
template <typename T>
class [[nodiscard]] Result {
  static_assert(!std::is_same_v<std::remove_cv_t<T>, Error>);

 public:
  // Implicit, all three, so that `return value;`, `return Error{...};` and
  // `return OtherResult();` read as they should.
  template <std::convertible_to<T> U = T>
  Result(U&& value)  // NOLINT(google-explicit-constructor): see above
      requires(!std::is_same_v<std::remove_cvref_t<U>, Result> &&
               !std::is_same_v<std::remove_cvref_t<U>, Error>)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}
  Result(Error error)  // NOLINT(google-explicit-constructor): see above
      : state_(std::in_place_index<1>, std::move(error)) {}
  template <std::convertible_to<T> U>
  Result(Result<U> other)  // NOLINT(google-explicit-constructor): see above
      : state_(other
                   ? State(std::in_place_index<0>, *std::move(other))
                   : State(std::in_place_index<1>, std::move(other).error())) {}

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  // Asking for the half that is not there throws std::bad_variant_access: that
  // is a bug, not an outcome.
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  [[nodiscard]] const Error& error() const& { return std::get<1>(state_); }
  [[nodiscard]] Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  using State = std::variant<T, Error>;

  State state_;
};

/// Success, or an `Error`.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error)  // NOLINT(google-explicit-constructor): as above
      : error_(std::move(error)) {}

  [[nodiscard]] bool has_value() const noexcept { return !error_; }
  explicit operator bool() const noexcept { return has_value(); }

  [[nodiscard]] const Error& error() const { return error_.value(); }

 private:
  std::optional<Error> error_;
};

}  // namespace cirro
