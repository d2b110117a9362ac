#include <memory>
#include <string>
#include <utility>

#include "contract/inlet_contract.h"
#include "contract/jetstream_under_test.h"

namespace cirro::test {
namespace {

ContractParam With(std::string name, bool double_ack) {
  return {std::move(name), [double_ack] {
            return std::make_unique<JetStreamUnderTest>(double_ack);
          }};
}

INSTANTIATE_TEST_SUITE_P(JetStream, InletContract,
                         testing::Values(With("Ack", false),
                                         With("DoubleAck", true)),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace cirro::test
