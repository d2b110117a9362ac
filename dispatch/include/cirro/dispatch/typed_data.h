#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

// What typed data is made of, as far as its type says it. Nothing here is for
// function authors.
namespace cirro::internal {

/// What the containers of JSON's own shapes hold.
template <typename T>
struct ElementOf {};
template <typename T, typename A>
struct ElementOf<std::vector<T, A>> : std::type_identity<T> {};
template <typename T, typename A>
struct ElementOf<std::deque<T, A>> : std::type_identity<T> {};
template <typename T, typename A>
struct ElementOf<std::list<T, A>> : std::type_identity<T> {};
template <typename T, std::size_t n>
struct ElementOf<std::array<T, n>> : std::type_identity<T> {};
template <typename T, typename... O>
struct ElementOf<std::set<T, O...>> : std::type_identity<T> {};
template <typename T, typename... O>
struct ElementOf<std::unordered_set<T, O...>> : std::type_identity<T> {};
template <typename T>
struct ElementOf<std::optional<T>> : std::type_identity<T> {};
template <typename T, typename... O>
struct ElementOf<std::map<std::string, T, O...>> : std::type_identity<T> {};
template <typename T, typename... O>
struct ElementOf<std::unordered_map<std::string, T, O...>>
    : std::type_identity<T> {};

/// Whether a `T` only points to what it shows, alone or in a container: the
/// data is read into a value that is gone before the function is called.
template <typename T>
struct IsView : std::false_type {};
template <typename T>
requires requires { typename ElementOf<T>::type; }
struct IsView<T> : IsView<typename ElementOf<T>::type> {};
template <typename K, typename T, typename... O>
requires(!std::is_same_v<K, std::string>) struct IsView<std::map<K, T, O...>>
    : std::disjunction<IsView<K>, IsView<T>> {
};
template <typename K, typename T, typename... O>
requires(!std::is_same_v<K, std::string>) struct IsView<
    std::unordered_map<K, T, O...>> : std::disjunction<IsView<K>, IsView<T>> {
};
template <typename A, typename B>
struct IsView<std::pair<A, B>> : std::disjunction<IsView<A>, IsView<B>> {};
template <typename... T>
struct IsView<std::tuple<T...>> : std::disjunction<IsView<T>...> {};
template <typename C, typename Traits>
struct IsView<std::basic_string_view<C, Traits>> : std::true_type {};
template <typename T, std::size_t n>
struct IsView<std::span<T, n>> : std::true_type {};

}  // namespace cirro::internal
