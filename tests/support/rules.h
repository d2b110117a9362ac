#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/cloudevents/event_draft.h"
#include "cirro/cloudevents/json_format.h"
#include "cirro/cloudevents/result.h"

namespace cirro::test {

/// The rules that a result says are broken; {} when it succeeded, {0} when it
/// failed without naming one (too large, say).
template <typename T>
std::vector<int> BrokenRules(const Result<T>& result) {
  if (result) return {};
  return result.error().rules.empty() ? std::vector<int>{0}
                                      : result.error().rules;
}

/// An event in the JSON format: what is required, then `members` (as JSON text,
/// `"name":value,...`).
inline std::string JsonEvent(const std::string& members = {}) {
  return R"({"specversion":"1.0","id":"1","source":"/s","type":"t")" +
         (members.empty() ? "" : "," + members) + "}";
}

/// What is broken in such an event.
inline std::vector<int> BrokenInJson(const std::string& members,
                                     const DecodeOptions& options = {}) {
  return BrokenRules(DecodeJson(JsonEvent(members), options));
}

/// What is broken in an event that has this extension.
inline std::vector<int> BrokenIn(const Extension& extension) {
  return BrokenRules(EventBuilder()
                         .id("1")
                         .source("/s")
                         .type("t")
                         .extension(extension)
                         .Build());
}

/// A draft with what is required.
inline EventDraft MinDraft() {
  EventDraft draft;
  draft.id = "1";
  draft.source = "/s";
  draft.type = "t";
  return draft;
}

}  // namespace cirro::test
