#include "callbacks.h"

#include <cstddef>
#include <cstdint>
#include <system_error>
#include <thread>

namespace cirro::internal::kafka {
namespace {

// A broker answers one request of a connection after the other, and to a join
// only when all members have joined. A commit that is sent after it is of a
// generation that is over by then; up to 2.9 a cooperative member loses all
// that it has by the answer. Nothing but this tells that a join was sent, or is
// about to be.
constexpr std::int16_t kJoinGroup = 11;
constexpr std::int16_t kHeartbeat = 12;

rd_kafka_resp_err_t OnSent(rd_kafka_t* /*handle*/, int /*socket*/,
                           const char* /*broker*/, std::int32_t /*number*/,
                           std::int16_t api, std::int16_t /*version*/,
                           std::int32_t /*correlation*/, std::size_t /*size*/,
                           void* opaque) noexcept {
  if (api == kJoinGroup) static_cast<Callbacks*>(opaque)->joining = true;
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t OnReceived(rd_kafka_t* /*handle*/, int /*socket*/,
                               const char* /*broker*/, std::int32_t /*number*/,
                               std::int16_t api, std::int16_t /*version*/,
                               std::int32_t /*correlation*/,
                               std::size_t /*size*/, std::int64_t /*rtt*/,
                               rd_kafka_resp_err_t /*error*/,
                               void* opaque) noexcept {
  if (api == kHeartbeat) static_cast<Callbacks*>(opaque)->heard = true;
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t OnNew(rd_kafka_t* handle, const rd_kafka_conf_t* /*conf*/,
                          void* opaque, char* /*why*/,
                          std::size_t /*size*/) noexcept {
  rd_kafka_interceptor_add_on_response_received(handle, "cirro", &OnReceived,
                                                opaque);
  return rd_kafka_interceptor_add_on_request_sent(handle, "cirro", &OnSent,
                                                  opaque);
}

}  // namespace

void Callbacks::Register(rd_kafka_conf_t* conf) noexcept {
  rd_kafka_conf_set_opaque(conf, this);
  rd_kafka_conf_set_log_cb(conf, &Log);
  rd_kafka_conf_interceptor_add_on_new(conf, "cirro", &OnNew, this);
}

void Callbacks::Log(const rd_kafka_t* handle, int level, const char* facility,
                    const char* text) noexcept {
  auto* const callbacks = static_cast<Callbacks*>(rd_kafka_opaque(handle));
  const MutexLock lock(callbacks->mutex_);
  if (callbacks->voice_ != nullptr) {
    SayForLibrary(*callbacks->voice_, level, facility, text);
  }
}

void Callbacks::Abandon(Handle handle,
                        std::unique_ptr<Callbacks> callbacks) noexcept {
  {
    const MutexLock lock(callbacks->mutex_);
    callbacks->voice_ = nullptr;
  }
  // What the thread owns it takes when it runs: it may not come to be.
  const auto destroy = [abandoned = handle.release(),
                        told = callbacks.release()] {
    rd_kafka_destroy_flags(abandoned, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    delete told;  // NOLINT(cppcoreguidelines-owning-memory)
  };
  try {
    std::thread([destroy] {
      BlockSignals();
      destroy();
    }).detach();
  } catch (const std::system_error&) {  // There is no thread to be had.
    destroy();
  }
}

}  // namespace cirro::internal::kafka
