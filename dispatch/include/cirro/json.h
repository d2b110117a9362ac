#pragma once

#include <cstddef>
#include <exception>
#include <new>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/event_draft.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/json_numbers.h"
#include "cirro/dispatch/typed_data.h"

/// Typed functions: the one public header that shows nlohmann::json. With it a
/// handler may take its event's data as any type that nlohmann::json converts
/// to (NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE, a from_json of your own, or a type
/// that nlohmann knows), nlohmann::json itself included.
namespace cirro {

/// Data of `application/json`, from a JSON value or anything that converts to
/// one. Throws nlohmann::json::type_error where a string is not UTF-8.
[[nodiscard]] inline Data Json(const nlohmann::json& value) {
  return JsonText(value.dump());
}

/// An event's JSON data as a `T`, as typed handlers get it; for handlers that
/// take events, such as those of batches. Fails with kRejected when the data is
/// absent, not JSON, or does not fit a T: a T that is a number, also in a
/// sequence, a set, an optional or a map by std::string, is that number (the
/// nearest, of a floating-point type); what a from_json converts (a struct's
/// members) nlohmann cuts to fit. What a from_json throws is such a failure;
/// std::bad_alloc alone gets out, for it is not the data's fault.
template <typename T>
[[nodiscard]] Result<T> ReadJson(const Event& event) {
  static_assert(!internal::IsView<T>::value,
                "Cirro handler: typed data owns what it holds: read a "
                "std::string instead of a string_view, a std::vector<T> "
                "instead of a span");
  static_assert(
      requires(const nlohmann::json& value) { value.template get<T>(); },
      "Cirro handler: typed data needs a from_json for its type, such as "
      "NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Type, member, ...), and a default "
      "constructor");
  if (!event.has_data()) {
    return Error{ErrorCode::kRejected, "the event has no data"};
  }
  if (event.data_kind() != DataKind::kJson) {
    return Error{ErrorCode::kRejected,
                 "the data is not JSON (datacontenttype '" +
                     std::string(event.datacontenttype()) + "')"};
  }
  const std::string_view text = event.data();
  // The event's data was checked when the event was made, so this succeeds
  // but for numbers out of a double's range.
  const auto value = nlohmann::json::parse(text, nullptr, false);
  if (value.is_discarded()) {
    return Error{ErrorCode::kRejected, "the data does not parse as JSON"};
  }
  if (auto why = internal::WhyNot<T>(value); !why.empty()) {
    return Error{ErrorCode::kRejected, "the data does not fit: " + why};
  }
  try {
    return value.template get<T>();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& e) {
    const char* const what = e.what();
    std::string_view why =
        what == nullptr ? "its from_json gives no reason" : what;
    // What nlohmann puts before its sentence: "[json.exception.type_error.1] ".
    const std::size_t end = why.find("] ");
    if (why.starts_with("[json.exception.") && end != std::string_view::npos) {
      why.remove_prefix(end + 2);
    }
    return Error{ErrorCode::kRejected,
                 "the data does not fit: " + std::string(why)};
  }
}

namespace internal {

template <typename T>
struct TypedData;

template <typename T>
struct TypedData {
  static Result<T> Read(const Event& event) { return ReadJson<T>(event); }
};

}  // namespace internal
}  // namespace cirro
