#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cirro/cloudevents/export.h"
#include "cirro/dispatch/handler.h"
#include "cirro/dispatch/retry.h"

namespace cirro {

/// What must be true of an event, beyond its type. Each member that is set
/// must hold. Source: CloudEvents Subscriptions API, "Filter Dialects".
struct Filter {
  std::map<std::string, std::string> exact{};   ///< Attribute -> whole value.
  std::map<std::string, std::string> prefix{};  ///< Attribute -> beginning.
  std::map<std::string, std::string> suffix{};  ///< Attribute -> end.
  std::vector<Filter> all{};   ///< Every one of them, when not empty.
  std::vector<Filter> any{};   ///< At least one of them, when not empty.
  std::vector<Filter> none{};  ///< `not`: none of them.
};

/// Which events' calls run one after the other.
struct OrderBy {
  enum class Kind : std::uint8_t {
    kSource,        ///< By the source's own key where it has one; default.
    kNone,          ///< No order.
    kPartitionKey,  ///< The extension `partitionkey`.
    kSubject,
    kJsonPointer,  ///< RFC 6901, into the event's JSON data.
  };

  Kind kind = Kind::kSource;
  std::string pointer{};  ///< Of kJsonPointer.
};

/// How a function is registered. Every member has a default; configuration
/// (`[function.NAME]`) may replace each but `type` and `filter`.
struct FunctionSpec {
  /// Free text; empty: derived from the type. Its configuration key is the
  /// same in lower case with every other character as `_`.
  std::string name{};
  /// The event type, exactly; or with `*` for any run of characters.
  std::string type{};
  Filter filter{};
  /// Calls at once; 0: no bound but the executor's.
  std::uint32_t concurrency = 0;
  /// Events taken in and not finished, and their bytes; past it a delivery is
  /// refused (kOverloaded). 0: no bound but the dispatcher's.
  std::uint32_t max_in_flight = 0;
  std::size_t max_bytes = 0;
  OrderBy order_by{};
  std::chrono::milliseconds timeout{20'000};
  /// Runs on the I/O thread that received the event. Promises not to block.
  bool inline_call = false;
  /// Of batch handlers: most events in one call; what is queued now, at most.
  std::uint32_t batch_max = 100;
  /// JSON Schema (draft-07) for the data; empty: no check.
  std::string data_schema{};
  /// The outlet for replies that the source cannot carry back; empty: the
  /// dispatcher's default; "none": they are discarded.
  std::string reply_to{};
  /// Absent: the dispatcher's.
  std::optional<RetryPolicy> retry{};
  std::optional<OnExhausted> on_exhausted{};
  /// Places for dead letters in order of preference, by name; absent: the
  /// dispatcher's.
  std::optional<std::vector<std::string>> dead_letter{};
  /// An event that it has done within DispatcherOptions::dedup_window is not
  /// given to it again, by `source` and `id`.
  bool dedup = false;
};

/// A function: what it is called for, and its code.
struct Function {
  FunctionSpec spec;
  std::unique_ptr<Handler> handler;
};

}  // namespace cirro
