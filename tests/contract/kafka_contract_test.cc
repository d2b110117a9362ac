#include <memory>
#include <string>
#include <utility>

#include "contract/inlet_contract.h"
#include "contract/kafka_under_test.h"

namespace cirro::test {
namespace {

class NeedsKafka final : public testing::Environment {
 public:
  void SetUp() override {
    if (KafkaUrl().empty()) {
      GTEST_SKIP() << "CIRRO_TEST_KAFKA_URL names no broker";
    }
  }
};
testing::Environment* const kNeedsKafka =
    testing::AddGlobalTestEnvironment(new NeedsKafka);

ContractParam With(std::string name, KafkaAssignor assignor) {
  return {std::move(name),
          [assignor] { return std::make_unique<KafkaUnderTest>(assignor); }};
}

INSTANTIATE_TEST_SUITE_P(
    Kafka, InletContract,
    testing::Values(With("Range", KafkaAssignor::kRange),
                    With("Cooperative", KafkaAssignor::kCooperativeSticky)),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace cirro::test
