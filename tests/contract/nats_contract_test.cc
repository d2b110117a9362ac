#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "contract/inlet_contract.h"
#include "contract/jetstream_under_test.h"

namespace cirro::test {
namespace {

ContractParam With(std::string name, bool double_ack,
                   int max_ack_pending = 1'000) {
  return {std::move(name), [double_ack, max_ack_pending] {
            return std::make_unique<JetStreamUnderTest>(
                double_ack, std::chrono::seconds(2), max_ack_pending);
          }};
}

INSTANTIATE_TEST_SUITE_P(JetStream, InletContract,
                         testing::Values(With("Ack", false),
                                         With("DoubleAck", true),
                                         With("InOrder", false, 1)),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace cirro::test
