#include "cirro/cloudevents/event_builder.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace cirro {

struct EventBuilder::State {
  EventDraft draft{};
};

namespace {

std::vector<Extension>::iterator Find(std::vector<Extension>& extensions,
                                      std::string_view name) {
  return std::find_if(extensions.begin(), extensions.end(),
                      [name](const Extension& e) { return e.name == name; });
}

}  // namespace

EventBuilder::EventBuilder() : state_(std::make_unique<State>()) {}
EventBuilder::EventBuilder(EventBuilder&&) noexcept = default;
EventBuilder& EventBuilder::operator=(EventBuilder&&) noexcept = default;
EventBuilder::~EventBuilder() = default;

EventBuilder::EventBuilder(const Event& event) : EventBuilder() {
  EventDraft& draft = state_->draft;
  draft.id = event.id();
  draft.source = event.source();
  draft.type = event.type();
  draft.subject = event.subject();
  draft.time = event.time_text();
  draft.dataschema = event.dataschema();
  // The type of the data belongs to the data, and is replaced with it.
  if (event.has_data()) {
    draft.data = {std::string(event.data()), event.data_kind(),
                  std::string(event.datacontenttype())};
  } else {
    draft.datacontenttype = event.datacontenttype();
  }
  for (std::size_t i = 0; i < event.attribute_count(); ++i) {
    const Attribute attribute = event.attribute_at(i);
    if (!event.extension(attribute.name)) continue;
    draft.extensions.emplace_back(std::string(attribute.name), attribute.type,
                                  std::string(attribute.text));
  }
}

EventBuilder& EventBuilder::id(std::string_view value) {
  state_->draft.id = value;
  return *this;
}
EventBuilder& EventBuilder::source(std::string_view value) {
  state_->draft.source = value;
  return *this;
}
EventBuilder& EventBuilder::type(std::string_view value) {
  state_->draft.type = value;
  return *this;
}
EventBuilder& EventBuilder::subject(std::string_view value) {
  state_->draft.subject = value;
  return *this;
}
EventBuilder& EventBuilder::datacontenttype(std::string_view value) {
  state_->draft.datacontenttype = value;
  state_->draft.data.contenttype.clear();
  return *this;
}
EventBuilder& EventBuilder::dataschema(std::string_view value) {
  state_->draft.dataschema = value;
  return *this;
}
EventBuilder& EventBuilder::time(std::string_view text) {
  state_->draft.time = text;
  return *this;
}
EventBuilder& EventBuilder::time(const Timestamp& value) {
  state_->draft.time = FormatTimestamp(value);
  return *this;
}

EventBuilder& EventBuilder::extension(Extension extension) {
  auto& extensions = state_->draft.extensions;
  const auto at = Find(extensions, extension.name);
  if (at != extensions.end()) {
    *at = std::move(extension);
  } else {
    extensions.push_back(std::move(extension));
  }
  return *this;
}

EventBuilder& EventBuilder::RemoveExtension(std::string_view name) {
  auto& extensions = state_->draft.extensions;
  const auto at = Find(extensions, name);
  if (at != extensions.end()) extensions.erase(at);
  return *this;
}

EventBuilder& EventBuilder::data(Data data) {
  state_->draft.data = std::move(data);
  return *this;
}

EventBuilder& EventBuilder::RemoveData() {
  state_->draft.data = {};
  return *this;
}

Result<Event> EventBuilder::Build() const {
  return cirro::Build(state_->draft);
}

}  // namespace cirro
