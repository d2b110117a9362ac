#pragma once

#include <nats/nats.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "broker_bench.h"

namespace cirro::bench {

inline constexpr const char* kStream = "BENCH";
inline constexpr const char* kSubject = "bench.events";

inline void Must(natsStatus status) {
  if (status != NATS_OK) Fail(natsStatus_GetText(status));
}

/// The name of the header that an attribute has in binary mode.
inline std::string NameOf(const Header& header) {
  return "ce-" + std::string(header.attribute);
}

/// A new stream in memory that keeps kSubject, in place of the last one.
inline void MakeStream(jsCtx* js) {
  js_DeleteStream(js, kStream, nullptr, nullptr);
  const char* subjects[] = {kSubject};
  jsStreamConfig config;
  Must(jsStreamConfig_Init(&config));
  config.Name = kStream;
  config.Subjects = subjects;
  config.SubjectsLen = 1;
  config.Storage = js_MemoryStorage;
  Must(js_AddStream(nullptr, js, &config, nullptr, nullptr));
}

/// An event in binary mode.
inline natsMsg* MakeMessage(int number, std::string_view data) {
  natsMsg* message = nullptr;
  Must(natsMsg_Create(&message, kSubject, nullptr, data.data(),
                      static_cast<int>(data.size())));
  const std::string id = IdOf(number);
  for (const Header& header : kEvent) {
    Must(natsMsgHeader_Add(message, NameOf(header).c_str(),
                           header.text == nullptr ? id.c_str() : header.text));
  }
  return message;
}

inline void Fill(jsCtx* js, int messages) {
  for (int i = 0; i < messages; ++i) {
    natsMsg* message = MakeMessage(i, kData);
    Must(js_PublishMsgAsync(js, &message, nullptr));
  }
  Must(js_PublishAsyncComplete(js, nullptr));
}

/// Every header and the payload of a message, as a raw reader reads them.
inline std::size_t Touch(natsMsg* message) {
  static const auto names = [] {
    std::vector<std::string> made;
    for (const Header& header : kEvent) made.push_back(NameOf(header));
    return made;
  }();
  std::size_t sum =
      Touch({natsMsg_GetData(message),
             static_cast<std::size_t>(natsMsg_GetDataLength(message))});
  for (const std::string& name : names) {
    const char* value = nullptr;
    Must(natsMsgHeader_Get(message, name.c_str(), &value));
    sum += Touch(std::string_view(value));
  }
  return sum;
}

}  // namespace cirro::bench
