#include <nats/nats.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>

#include "chaos/topics.h"

namespace cirro::chaos {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kBatch = 500;
constexpr std::chrono::minutes kPatience{2};

void Must(natsStatus status, const std::string& what) {
  if (status != NATS_OK) {
    throw std::runtime_error(what + ": " + natsStatus_GetText(status));
  }
}

// A reader of a stream from one sequence on, as long as the server lives.
class Pull {
 public:
  Pull(jsCtx* js, const std::string& stream, std::uint64_t from) {
    jsSubOptions options;
    jsSubOptions_Init(&options);
    options.Stream = stream.c_str();
    options.Config.DeliverPolicy = js_DeliverByStartSequence;
    options.Config.OptStartSeq = from;
    options.Config.AckPolicy = js_AckNone;
    jsErrCode code{};
    // A stream's only subject has its name.
    if (js_PullSubscribe(&subscription_, js, stream.c_str(), nullptr, nullptr,
                         &options, &code) != NATS_OK) {
      subscription_ = nullptr;
    }
  }
  ~Pull() { natsSubscription_Destroy(subscription_); }
  Pull(const Pull&) = delete;
  Pull& operator=(const Pull&) = delete;

  natsStatus Fetch(natsMsgList& list) {
    if (subscription_ == nullptr) return NATS_NO_SERVER;
    return natsSubscription_Fetch(&list, subscription_, kBatch, 500, nullptr);
  }

 private:
  natsSubscription* subscription_ = nullptr;
};

// A topic is a stream of one subject, both of its name.
class NatsTopics final : public Topics {
 public:
  explicit NatsTopics(const std::string& url) {
    natsOptions* options = nullptr;
    Must(natsOptions_Create(&options), "no options");
    natsOptions_SetURL(options, url.c_str());
    natsOptions_SetMaxReconnect(options, -1);
    natsOptions_SetReconnectWait(options, 50);
    const natsStatus status = natsConnection_Connect(&connection_, options);
    natsOptions_Destroy(options);
    Must(status, url);
    Must(natsConnection_JetStream(&js_, connection_, nullptr), url);
  }
  ~NatsTopics() override {
    jsCtx_Destroy(js_);
    natsConnection_Destroy(connection_);
  }
  NatsTopics(const NatsTopics&) = delete;
  NatsTopics& operator=(const NatsTopics&) = delete;

  void Make(const std::string& name, int /*partitions*/) override {
    const char* subjects[] = {name.c_str()};
    jsStreamConfig config;
    Must(jsStreamConfig_Init(&config), name);
    config.Name = name.c_str();
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    // A producer that nobody stops fills no disk; the kill test has less.
    config.MaxBytes = std::int64_t{2} << 30;
    Must(js_AddStream(nullptr, js_, &config, nullptr, nullptr), name);
  }

  void Produce(const std::string& topic, std::int64_t count,
               std::int64_t keys) override {
    std::int64_t begin = 0;
    while (begin < count) {
      const std::int64_t end = std::min(begin + kBatch, count);
      // All of a batch again: what is there is known by its id.
      const auto give_up = steady_clock::now() + kPatience;
      while (!Publish(topic, begin, end, keys)) {
        if (steady_clock::now() > give_up) {
          throw std::runtime_error("the stream takes nothing");
        }
        std::this_thread::sleep_for(milliseconds(50));
      }
      begin = end;
    }
  }

  void Read(const std::string& topic, const Visit& visit) override {
    jsStreamInfo* info = nullptr;
    Must(js_GetStreamInfo(&info, js_, topic.c_str(), nullptr, nullptr), topic);
    const std::uint64_t last = info->State.LastSeq;
    jsStreamInfo_Destroy(info);
    Run(topic, last, visit);
  }
  void Follow(const std::string& topic, const Visit& visit) override {
    Run(topic, UINT64_MAX, visit);
  }

 private:
  bool Publish(const std::string& topic, std::int64_t begin, std::int64_t end,
               std::int64_t keys) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::string key = std::to_string(i % keys);
      const std::string value = key + " " + std::to_string(i / keys);
      natsMsg* message = nullptr;
      Must(natsMsg_Create(&message, topic.c_str(), nullptr, value.data(),
                          static_cast<int>(value.size())),
           "no message");
      natsMsgHeader_Set(message, "ce-specversion", "1.0");
      natsMsgHeader_Set(message, "ce-type", "com.example.chaos");
      natsMsgHeader_Set(message, "ce-source", "/chaos");
      natsMsgHeader_Set(message, "ce-id", value.c_str());
      natsMsgHeader_Set(message, "ce-partitionkey", key.c_str());
      natsMsgHeader_Set(message, "content-type", "text/plain");
      natsMsgHeader_Set(message, "Nats-Msg-Id", value.c_str());
      const natsStatus status = js_PublishMsgAsync(js_, &message, nullptr);
      natsMsg_Destroy(message);  // Null if it was taken.
      if (status != NATS_OK) break;
    }
    jsPubOptions options;
    jsPubOptions_Init(&options);
    options.MaxWait = 2'000;
    const natsStatus status = js_PublishAsyncComplete(js_, &options);
    natsMsgList failed{};
    const bool left = js_PublishAsyncGetPendingList(&failed, js_) == NATS_OK;
    natsMsgList_Destroy(&failed);
    return status == NATS_OK && !left;
  }

  // A reader dies with the server; another goes on where it was.
  void Run(const std::string& topic, std::uint64_t last, const Visit& visit) {
    std::uint64_t next = 1;
    auto give_up = steady_clock::now() + kPatience;
    while (next <= last) {
      Pull pull(js_, topic, next);
      natsMsgList list{};
      while (next <= last && pull.Fetch(list) == NATS_OK) {
        bool more = true;
        for (int i = 0; more && i < list.Count; ++i) {
          jsMsgMetaData* data = nullptr;
          Must(natsMsg_GetMetaData(&data, list.Msgs[i]), "a strange message");
          const std::uint64_t sequence = data->Sequence.Stream;
          const std::int64_t written = data->Timestamp / 1'000'000;
          jsMsgMetaData_Destroy(data);
          if (sequence < next) continue;
          next = sequence + 1;
          more = visit(
              {{natsMsg_GetData(list.Msgs[i]),
                static_cast<std::size_t>(natsMsg_GetDataLength(list.Msgs[i]))},
               written});
        }
        natsMsgList_Destroy(&list);
        if (!more) return;
        give_up = steady_clock::now() + kPatience;
      }
      if (last != UINT64_MAX && steady_clock::now() > give_up) {
        throw std::runtime_error(topic + " cannot be read to its end");
      }
    }
  }

  natsConnection* connection_ = nullptr;
  jsCtx* js_ = nullptr;
};

}  // namespace

std::unique_ptr<Topics> Topics::Connect(const std::string& address) {
  return std::make_unique<NatsTopics>(address);
}

}  // namespace cirro::chaos
