#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "contract/broker_under_test.h"
#include "contract/process.h"

namespace cirro::test {

struct ContractParam {
  std::string name;
  std::function<std::unique_ptr<BrokerUnderTest>()> make;
};
/// What googletest shows of it.
inline void PrintTo(const ContractParam& param, std::ostream* out) {
  *out << param.name;
}

class InletContract : public testing::TestWithParam<ContractParam> {
 protected:
  static constexpr const char* kType = "com.example.order";

  InletContract()
      : broker(GetParam().make()), topic(broker->NewTopic(2)), group(topic) {}

  static Event EventOf(const std::string& id, std::string_view type = kType) {
    return *EventBuilder()
                .id(id)
                .source("/contract")
                .type(type)
                .data(JsonText("{\"id\": \"" + id + "\"}"))
                .Build();
  }
  void Publish(int count, int first = 0) {
    for (int i = first; i < first + count; ++i) {
      broker->Publish(topic, EventOf(std::to_string(i)), std::to_string(i));
    }
  }
  [[nodiscard]] InletWish Wish(std::uint32_t max_in_flight = 256) const {
    return {.topic = topic, .group = group, .max_in_flight = max_in_flight};
  }
  bool AwaitPending(std::uint64_t count) {
    return AwaitThat([&] { return broker->Pending(topic, group) == count; });
  }
  static std::string HeaderOf(const Kept& kept, std::string_view name) {
    for (const auto& [each, value] : kept.headers) {
      if (each == name) return value;
    }
    return {};
  }

  const std::unique_ptr<BrokerUnderTest> broker;
  const std::string topic;
  const std::string group;
};

#define CIRRO_CONTRACT_NEEDS(ability)                                  \
  if (const std::string why = broker->Cannot(ability); !why.empty()) { \
    GTEST_SKIP() << why;                                               \
  }                                                                    \
  static_assert(true)

}  // namespace cirro::test
