#include "handles.h"

#include <pthread.h>

#include <array>
#include <csignal>
#include <cstddef>

namespace cirro::internal::kafka {
namespace {

void Log(const rd_kafka_t* handle, int level, const char* facility,
         const char* text) noexcept {
  const auto* const voice = static_cast<const Voice*>(rd_kafka_opaque(handle));
  if (voice != nullptr) SayForLibrary(*voice, level, facility, text);
}

}  // namespace

// What librdkafka calls an error it tries again.
void SayForLibrary(const Voice& voice, int level, std::string_view facility,
                   std::string_view text) noexcept {
  constexpr int kWarning = 4;
  constexpr int kInfo = 6;
  // Why a connection fails comes as an error, too.
  constexpr std::string_view kTwice = "FAIL";
  const LogLevel said = facility == kTwice  ? LogLevel::kDebug
                        : level <= kWarning ? LogLevel::kWarning
                        : level <= kInfo    ? LogLevel::kInfo
                                            : LogLevel::kDebug;
  std::string line = "librdkafka ";
  voice.Say(said, line.append(facility).append(": ").append(text));
}

Result<Conf> MakeConf(const Properties& properties, Voice& voice) {
  Conf conf(rd_kafka_conf_new());
  for (const auto& [name, value] : properties) {
    std::array<char, 512> why{};
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), why.data(),
                          why.size()) != RD_KAFKA_CONF_OK) {
      return InvalidOption(
          "librdkafka",
          IsSecretProperty(name)
              ? "'" + name + "' does not have a value that it takes"
              : std::string(why.data()));
    }
  }
  rd_kafka_conf_set_opaque(conf.get(), &voice);
  rd_kafka_conf_set_log_cb(conf.get(), &Log);
  return conf;
}

Result<Handle> MakeHandle(rd_kafka_type_t type, Conf conf) {
  std::array<char, 512> why{};
  Handle handle(rd_kafka_new(type, conf.get(), why.data(), why.size()));
  if (!handle) return InvalidOption("connection", why.data());
  static_cast<void>(conf.release());  // The handle has it now.
  return handle;
}

std::string TextOf(rd_kafka_resp_err_t code) {
  return std::string(rd_kafka_err2str(code)) + " (" + rd_kafka_err2name(code) +
         ")";
}

ErrorCode SendErrorOf(rd_kafka_resp_err_t code,
                      rd_kafka_msg_status_t status) noexcept {
  const bool sent = status != RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
  switch (code) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return ErrorCode::kUnroutable;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
      return ErrorCode::kTooLarge;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      return ErrorCode::kRefused;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
      return ErrorCode::kOverloaded;
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
      return sent ? ErrorCode::kTimedOut : ErrorCode::kUnavailable;
    default:
      return sent ? ErrorCode::kUnknownOutcome : ErrorCode::kUnavailable;
  }
}

void BlockSignals() noexcept {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

}  // namespace cirro::internal::kafka
