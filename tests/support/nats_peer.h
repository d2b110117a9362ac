#pragma once

#include <nats/nats.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cirro::test {

/// Somebody else on the server (or servers: `url` may be a list with commas),
/// who knows libnats alone.
class NatsPeer {
 public:
  explicit NatsPeer(const std::string& url) {
    Must(natsConnection_ConnectTo(&connection_, url.c_str()));
    Must(natsConnection_JetStream(&js_, connection_, nullptr));
  }
  ~NatsPeer() {
    jsCtx_Destroy(js_);
    natsConnection_Destroy(connection_);
  }
  NatsPeer(const NatsPeer&) = delete;
  NatsPeer& operator=(const NatsPeer&) = delete;

  void MakeStream(const std::string& name, const std::string& subject,
                  jsRetentionPolicy retention = js_LimitsPolicy,
                  std::int64_t max_messages = -1) {
    Must(AddStream(name, subject, [&](jsStreamConfig& config) {
      config.Retention = retention;
      config.MaxMsgs = max_messages;
      config.Discard = max_messages > 0 ? js_DiscardNew : js_DiscardOld;
    }));
  }
  /// With what `change` sets.
  natsStatus AddStream(const std::string& name, const std::string& subject,
                       const std::function<void(jsStreamConfig&)>& change) {
    const char* subjects[] = {subject.c_str()};
    jsStreamConfig config;
    Must(jsStreamConfig_Init(&config));
    config.Name = name.c_str();
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    change(config);
    jsErrCode code{};
    return js_AddStream(nullptr, js_, &config, nullptr, &code);
  }
  void PurgeStream(const std::string& name) {
    Must(js_PurgeStream(js_, name.c_str(), nullptr, nullptr));
  }
  /// The server that leads it, by its name; empty: none, or it does not say.
  std::string LeaderOf(const std::string& name) {
    jsStreamInfo* info = nullptr;
    if (js_GetStreamInfo(&info, js_, name.c_str(), nullptr, nullptr) !=
        NATS_OK) {
      return {};
    }
    const bool is_led =
        info->Cluster != nullptr && info->Cluster->Leader != nullptr;
    const std::string leader(is_led ? info->Cluster->Leader : "");
    jsStreamInfo_Destroy(info);
    return leader;
  }
  void DeleteStream(const std::string& name) {
    Must(js_DeleteStream(js_, name.c_str(), nullptr, nullptr));
  }
  /// A durable pull consumer, as somebody else made it, with what `change`
  /// sets.
  void MakeConsumer(const std::string& stream, const std::string& durable,
                    const std::function<void(jsConsumerConfig&)>& change) {
    jsConsumerConfig config;
    Must(jsConsumerConfig_Init(&config));
    config.Durable = durable.c_str();
    config.AckPolicy = js_AckExplicit;
    change(config);
    Must(js_AddConsumer(nullptr, js_, stream.c_str(), &config, nullptr,
                        nullptr));
  }
  /// Sets otherwise what `change` does, as `nats consumer edit`.
  void EditConsumer(const std::string& stream, const std::string& durable,
                    const std::function<void(jsConsumerConfig&)>& change) {
    jsConsumerInfo* info = nullptr;
    Must(js_GetConsumerInfo(&info, js_, stream.c_str(), durable.c_str(),
                            nullptr, nullptr));
    change(*info->Config);
    const natsStatus status = js_UpdateConsumer(nullptr, js_, stream.c_str(),
                                                info->Config, nullptr, nullptr);
    jsConsumerInfo_Destroy(info);
    Must(status);
  }
  void DeleteConsumer(const std::string& stream, const std::string& durable) {
    const std::int64_t before = CreatedAt(stream, durable);
    // A server of 2.9 deletes it, and says at times that its folder is left.
    static_cast<void>(js_DeleteConsumer(js_, stream.c_str(), durable.c_str(),
                                        nullptr, nullptr));
    // Whoever uses it may have made it again by now.
    if (CreatedAt(stream, durable) == before) {
      throw std::runtime_error("peer: the consumer is still there");
    }
  }

  using Headers = std::vector<std::pair<std::string, std::string>>;

  /// Into a stream, confirmed.
  void Publish(const std::string& subject, const std::string& payload,
               const Headers& headers) {
    natsMsg* message = Made(subject, payload, headers);
    const natsStatus status =
        js_PublishMsg(nullptr, js_, message, nullptr, nullptr);
    natsMsg_Destroy(message);
    Must(status);
  }
  /// A binary event with this id.
  void PublishEvent(const std::string& subject, const std::string& id,
                    const std::string& data = "x") {
    Publish(subject, data,
            {{"ce-specversion", "1.0"},
             {"ce-id", id},
             {"ce-source", "/peer"},
             {"ce-type", "com.example.test"}});
  }
  /// To whoever listens.
  void PublishCore(const std::string& subject, const std::string& payload,
                   const Headers& headers = {}) {
    natsMsg* message = Made(subject, payload, headers);
    const natsStatus status = natsConnection_PublishMsg(connection_, message);
    natsMsg_Destroy(message);
    Must(status);
    Must(natsConnection_Flush(connection_));
  }

  struct Message {
    std::string payload;
    std::map<std::string, std::string> headers;
    std::int64_t time = 0;  ///< Nanoseconds since 1970.
  };
  /// The message with this sequence.
  Message Read(const std::string& stream, std::uint64_t sequence) {
    natsMsg* message = nullptr;
    Must(js_GetMsg(&message, js_, stream.c_str(), sequence, nullptr, nullptr));
    Message read{
        std::string(natsMsg_GetData(message),
                    static_cast<std::size_t>(natsMsg_GetDataLength(message))),
        {},
        natsMsg_GetTime(message)};
    const char** names = nullptr;
    int count = 0;
    if (natsMsgHeader_Keys(message, &names, &count) == NATS_OK) {
      for (int i = 0; i < count; ++i) {
        const char* value = nullptr;
        natsMsgHeader_Get(message, names[i], &value);
        read.headers[names[i]] = value;
      }
      free(static_cast<void*>(names));
    }
    natsMsg_Destroy(message);
    return read;
  }
  std::uint64_t MessagesIn(const std::string& stream) {
    jsStreamInfo* info = nullptr;
    Must(js_GetStreamInfo(&info, js_, stream.c_str(), nullptr, nullptr));
    const std::uint64_t messages = info->State.Msgs;
    jsStreamInfo_Destroy(info);
    return messages;
  }

  struct Consumer {
    std::uint64_t pending = 0;
    std::int64_t ack_pending = 0;
    std::uint64_t ack_floor = 0;
    std::int64_t waiting = 0;
  };
  /// All 0 where there is none.
  Consumer ConsumerOf(const std::string& stream, const std::string& durable) {
    jsConsumerInfo* info = nullptr;
    if (js_GetConsumerInfo(&info, js_, stream.c_str(), durable.c_str(), nullptr,
                           nullptr) != NATS_OK) {
      return {};
    }
    const Consumer consumer{info->NumPending, info->NumAckPending,
                            info->AckFloor.Stream, info->NumWaiting};
    jsConsumerInfo_Destroy(info);
    return consumer;
  }

  [[nodiscard]] natsConnection* connection() const { return connection_; }
  [[nodiscard]] jsCtx* js() const { return js_; }

 private:
  static void Must(natsStatus status) {
    if (status != NATS_OK) {
      const char* const why = nats_GetLastError(nullptr);
      throw std::runtime_error(std::string("peer: ") +
                               natsStatus_GetText(status) + ": " +
                               (why == nullptr ? "" : why));
    }
  }
  std::int64_t CreatedAt(const std::string& stream,
                         const std::string& durable) {
    jsConsumerInfo* info = nullptr;
    if (js_GetConsumerInfo(&info, js_, stream.c_str(), durable.c_str(), nullptr,
                           nullptr) != NATS_OK) {
      return 0;
    }
    const std::int64_t created = info->Created;
    jsConsumerInfo_Destroy(info);
    return created;
  }
  static natsMsg* Made(const std::string& subject, const std::string& payload,
                       const Headers& headers) {
    natsMsg* message = nullptr;
    Must(natsMsg_Create(&message, subject.c_str(), nullptr, payload.data(),
                        static_cast<int>(payload.size())));
    for (const auto& [name, value] : headers) {
      Must(natsMsgHeader_Add(message, name.c_str(), value.c_str()));
    }
    return message;
  }

  natsConnection* connection_ = nullptr;
  jsCtx* js_ = nullptr;
};

/// Hears what is published on a subject.
class NatsListener {
 public:
  NatsListener(const NatsPeer& peer, const std::string& subject) {
    if (natsConnection_SubscribeSync(&subscription_, peer.connection(),
                                     subject.c_str()) != NATS_OK ||
        natsConnection_Flush(peer.connection()) != NATS_OK) {
      throw std::runtime_error("peer: no subscription to " + subject);
    }
  }
  ~NatsListener() { natsSubscription_Destroy(subscription_); }
  NatsListener(const NatsListener&) = delete;
  NatsListener& operator=(const NatsListener&) = delete;

  /// The payload that came next, within a millisecond, and where its sender
  /// wants an answer.
  std::optional<std::string> Take(std::string* reply = nullptr) {
    natsMsg* message = nullptr;
    if (natsSubscription_NextMsg(&message, subscription_, 1) != NATS_OK) {
      return std::nullopt;
    }
    std::string payload(
        natsMsg_GetData(message),
        static_cast<std::size_t>(natsMsg_GetDataLength(message)));
    if (reply != nullptr) *reply = natsMsg_GetReply(message);
    natsMsg_Destroy(message);
    return payload;
  }

 private:
  natsSubscription* subscription_ = nullptr;
};

}  // namespace cirro::test
