#pragma once

#include <nats/nats.h>

#include <memory>
#include <string>
#include <string_view>

#include "cirro/cloudevents/error.h"

// What libnats hands out, with its owner.
namespace cirro::internal::nats {

struct FreeNats {
  void operator()(natsConnection* it) const noexcept {
    natsConnection_Destroy(it);
  }
  void operator()(natsOptions* it) const noexcept { natsOptions_Destroy(it); }
  void operator()(natsSubscription* it) const noexcept {
    natsSubscription_Destroy(it);
  }
  void operator()(natsMsg* it) const noexcept { natsMsg_Destroy(it); }
  void operator()(jsCtx* it) const noexcept { jsCtx_Destroy(it); }
  void operator()(jsConsumerInfo* it) const noexcept {
    jsConsumerInfo_Destroy(it);
  }
  void operator()(jsStreamInfo* it) const noexcept { jsStreamInfo_Destroy(it); }
};
template <typename Handle>
using NatsHandle = std::unique_ptr<Handle, FreeNats>;

/// A subject of its own for this process, to be answered on.
[[nodiscard]] std::string NewInbox();

/// Without the line of libnats's source, "(conn.c:733): ".
[[nodiscard]] std::string WithoutPlace(std::string_view text);

/// "what: why libnats says it failed". Of the call that this thread made last.
[[nodiscard]] std::string Explain(const std::string& what, natsStatus status);

}  // namespace cirro::internal::nats
