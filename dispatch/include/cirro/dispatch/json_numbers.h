#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

#include "cirro/dispatch/typed_data.h"

// JSON's numbers as C++'s, exactly. `Json` is nlohmann::json, which only
// <cirro/json.h> includes. Nothing here is for function authors.
namespace cirro::internal {

template <typename Json>
bool IsWhole(const Json& number, std::int64_t min, std::uint64_t max) {
  if (number.is_number_unsigned()) {
    return number.template get<std::uint64_t>() <= max;
  }
  if (number.is_number_integer()) {
    return number.template get<std::int64_t>() >= min;
  }
  const auto value = number.template get<double>();  // Such as 5.0 and 1e3.
  return value == std::trunc(value) && value >= static_cast<double>(min) &&
         value < static_cast<double>(max) + 1;
}

/// Why a number or a boolean in `value` is no such `T`, where nlohmann would
/// make it one: cut, wrapped, or undefined. Else empty.
template <typename T, typename Json>
std::string WhyNot(const Json& value) {
  std::string why;
  if constexpr (requires { typename ElementOf<T>::type; }) {
    for (const Json& element : value) {
      if (why.empty()) why = WhyNot<typename ElementOf<T>::type>(element);
    }
  } else if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
    using Limits = std::numeric_limits<T>;
    if (value.is_boolean()) {
      why = value.dump() + " is no number";
    } else if constexpr (std::is_integral_v<T>) {
      const auto max = static_cast<std::uint64_t>(Limits::max());
      const std::int64_t min =
          Limits::is_signed ? -static_cast<std::int64_t>(max) - 1 : 0;
      if (value.is_number() && !IsWhole(value, min, max)) {
        why = value.dump() + " is no whole number from " + std::to_string(min) +
              " to " + std::to_string(max);
      }
    } else if (value.is_number() &&
               std::abs(value.template get<double>()) > Limits::max()) {
      why = value.dump() + " is out of a float's range";
    }
  }
  return why;
}

}  // namespace cirro::internal
