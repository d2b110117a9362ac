#pragma once

#include <span>
#include <type_traits>
#include <vector>

#include "cirro/dispatch/call_types.h"
#include "cirro/dispatch/typed_data.h"

// What a parameter of a handler may be, by its kind.
namespace cirro::internal {

/// Reads an event's data as a `T`; defined by <cirro/json.h>.
template <typename T>
struct TypedData;

template <typename P>
struct IsShared  // By value, const&, or && of a copy of its own.
    : std::bool_constant<!std::is_lvalue_reference_v<P> ||
                         std::is_const_v<std::remove_reference_t<P>>> {};
template <typename P>
struct IsBorrowed : std::is_lvalue_reference<P> {};
template <typename P>
struct IsTaken : std::negation<std::is_lvalue_reference<P>> {};

/// Types that look like typed data and are surely meant as something else.
template <typename T>
inline constexpr bool kIsMistaken =
    std::is_pointer_v<T> || std::is_same_v<T, std::vector<Event>> ||
    std::is_same_v<T, std::span<Event>> || std::is_same_v<T, EventDraft>;
template <typename P>
struct IsData : std::bool_constant<!kIsMistaken<std::remove_cvref_t<P>>> {};

template <typename P>
struct IsOwner : std::bool_constant<!IsView<std::remove_cvref_t<P>>::value ||
                                    kIsMistaken<std::remove_cvref_t<P>>> {};

template <typename T>
concept HasTypedData = requires {
  sizeof(TypedData<T>);
};
template <typename P>
struct IsDataKnown : std::bool_constant<HasTypedData<std::remove_cvref_t<P>>> {
};

}  // namespace cirro::internal
