#include <utility>

#include "broker_core.h"
#include "cirro/dispatch/link.h"
#include "cirro/memory/memory.h"

namespace cirro {
namespace {

class MemoryOutlet final : public Outlet,
                           public DeadLetterPlace,
                           public Linked {
 public:
  MemoryOutlet(internal::memory::BrokerCore& core, MemoryOutletOptions options)
      : core_(core), options_(std::move(options)) {}

  [[nodiscard]] std::string_view name() const noexcept override {
    return options_.name;
  }
  [[nodiscard]] std::string_view place_name() const noexcept override {
    return options_.name;
  }
  Result<void> Start() override { return {}; }

  void Send(Event event, SendCompletion completion) noexcept override {
    std::string key;
    if (const auto attribute = event.attribute(options_.key_from)) {
      key = attribute->text;
    }
    Append({.content = std::move(event), .key = std::move(key)},
           std::move(completion));
  }
  void Bury(DeadLetter letter, SendCompletion completion) noexcept override {
    Append(DeadLetterRecord(std::move(letter)), std::move(completion));
  }

  void Stop(std::chrono::milliseconds /*grace*/) noexcept override {}

  [[nodiscard]] LinkState link() const noexcept override {
    return {.kind = core_.reachable() ? LinkState::Kind::kConnected
                                      : LinkState::Kind::kDisconnected};
  }

 private:
  void Append(MemoryRecord record, SendCompletion completion) noexcept {
    auto offset = core_.Produce(options_.topic, std::move(record));
    completion.Complete(offset ? Result<void>()
                               : Result<void>(std::move(offset).error()));
  }

  internal::memory::BrokerCore& core_;
  const MemoryOutletOptions options_;
};

}  // namespace

Result<std::unique_ptr<Outlet>> MakeMemoryOutlet(MemoryBroker& broker,
                                                 MemoryOutletOptions options) {
  if (options.topic.empty()) {
    return Error{ErrorCode::kInvalidConfig, "topic: must be set"};
  }
  return std::unique_ptr<Outlet>(std::make_unique<MemoryOutlet>(
      MemoryAccess::Core(broker), std::move(options)));
}

}  // namespace cirro
