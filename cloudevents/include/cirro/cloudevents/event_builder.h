#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "cirro/cloudevents/attribute.h"
#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/event_draft.h"
#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"

namespace cirro {

/// Makes an Event, or a changed copy of one. Setters check nothing; Build
/// checks everything and reports every broken rule at once.
///
///   auto event = EventBuilder().id("1").source("/shop").type("order.placed")
///                    .data(JsonText(R"({"total":3})")).Build();
///
/// Setting an attribute again replaces it; an empty text for an optional core
/// attribute removes it. Data brings its own datacontenttype and takes it away
/// again, unless `datacontenttype` was called. Use from one thread at a time.
class CIRRO_EXPORT EventBuilder {
 public:
  EventBuilder();
  /// Begins with everything that `event` has.
  explicit EventBuilder(const Event& event);
  EventBuilder(EventBuilder&&) noexcept;
  EventBuilder& operator=(EventBuilder&&) noexcept;
  ~EventBuilder();

  EventBuilder& id(std::string_view value);
  EventBuilder& source(std::string_view value);
  EventBuilder& type(std::string_view value);
  EventBuilder& subject(std::string_view value);
  EventBuilder& datacontenttype(std::string_view value);
  EventBuilder& dataschema(std::string_view value);
  /// RFC 3339; kept as written.
  EventBuilder& time(std::string_view text);
  EventBuilder& time(const Timestamp& value);
  EventBuilder& extension(Extension extension);
  EventBuilder& RemoveExtension(std::string_view name);
  EventBuilder& data(Data data);
  EventBuilder& RemoveData();

  /// Fails with kInvalidEvent. The builder stays as it was.
  [[nodiscard]] Result<Event> Build() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cirro
