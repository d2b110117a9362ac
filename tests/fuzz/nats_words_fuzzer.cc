// What a server of NATS says beside messages: the reply subject of a delivery,
// a consumer's facts, an advisory. The first byte says which. Nothing that is
// taken is less than its least.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bindings/nats/src/ack_reply.h"
#include "bindings/nats/src/server_words.h"
#include "fuzz_check.h"

namespace {

using namespace cirro::internal::nats;  // NOLINT(google-build-using-namespace)

void CheckReply(std::string_view text) {
  const auto reply = ParseAckReply(text);
  if (!reply) return;
  CIRRO_FUZZ_CHECK(text.starts_with("$JS.ACK."));
  CIRRO_FUZZ_CHECK(text.find(std::to_string(reply->sequence)) !=
                   std::string_view::npos);
}

// Looks that follow each other, whatever they say, add up without a wrap.
void CheckInfo(std::string_view text) {
  const auto facts = ParseConsumerInfo(text);
  if (!facts) return;
  for (const bool filtered : {true, false}) {
    Drops drops(filtered);
    ConsumerPosition before = facts->position();
    before.deliveries /= 2;
    before.sequence /= 2;
    CIRRO_FUZZ_CHECK(drops.Look(before) == 0);
    const std::uint64_t lost = drops.Look(facts->position());
    CIRRO_FUZZ_CHECK(lost <= facts->sequence);
  }
}

void CheckAdvisory(std::string_view text) {
  const auto advisory = ParseNakAdvisory(text);
  if (!advisory) return;
  CIRRO_FUZZ_CHECK(advisory->sequence > 0 && advisory->delivered > 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1,
                              size - 1);
  switch (data[0] % 3) {
    case 0:
      CheckReply(text);
      break;
    case 1:
      CheckInfo(text);
      break;
    default:
      CheckAdvisory(text);
  }
  return 0;
}
