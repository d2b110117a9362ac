#include "cirro/cloudevents/event_assembler.h"

#include <utility>

#include "assembly.h"

namespace cirro {

struct EventAssembler::State {
  explicit State(const DecodeOptions& options) : assembly(options) {}

  internal::Assembly assembly;
};

EventAssembler::EventAssembler(const DecodeOptions& options)
    : state_(std::make_unique<State>(options)) {}
EventAssembler::EventAssembler(EventAssembler&&) noexcept = default;
EventAssembler& EventAssembler::operator=(EventAssembler&&) noexcept = default;
EventAssembler::~EventAssembler() = default;

void EventAssembler::Clear() noexcept { state_->assembly.Clear(); }

void EventAssembler::AddAttribute(std::string_view name, std::string_view text,
                                  std::optional<AttributeType> type) {
  state_->assembly.AddAttribute(name, text, type);
}

bool EventAssembler::AddCore(std::string_view name, std::string_view text) {
  return state_->assembly.AddCore(name, text);
}

void EventAssembler::SetData(std::string_view bytes) {
  state_->assembly.SetData(bytes, DataKind::kNone);
}

void EventAssembler::SetData(std::string_view bytes, DataKind kind) {
  state_->assembly.SetData(bytes, kind);
}

void EventAssembler::Report(int rule, std::string message) {
  state_->assembly.Report(rule, std::move(message));
}

char* EventAssembler::Scratch(std::size_t size) {
  return state_->assembly.Scratch(size);
}

Result<Event> EventAssembler::Build() { return state_->assembly.Build(); }

}  // namespace cirro
