// JSON batch: all of it or nothing is taken for a batch; the valid members go
// out as a batch and come back equal, and each is what it is alone.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cirro/cloudevents/json_format.h"
#include "fuzz_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace cirro;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  DecodeOptions options;
  options.max_batch_events = 20;
  const auto batch = DecodeJsonBatch(text, options);
  if (!batch) {
    CIRRO_FUZZ_CHECK(!batch.error().message.empty());
    return 0;
  }
  CIRRO_FUZZ_CHECK(IsJson(text, options.max_json_depth + 2));
  CIRRO_FUZZ_CHECK(batch->size() <= options.max_batch_events);
  std::vector<Event> events;
  for (const auto& member : *batch) {
    if (member) {
      events.push_back(*member);
      const auto alone = DecodeJson(EncodeJson(*member), options);
      CIRRO_FUZZ_CHECK(alone.has_value() && *alone == *member);
    } else {
      CIRRO_FUZZ_CHECK(!member.error().message.empty());
    }
  }
  const auto again = DecodeJsonBatch(EncodeJsonBatch(events), options);
  CIRRO_FUZZ_CHECK(again.has_value());
  CIRRO_FUZZ_CHECK(again->size() == events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    CIRRO_FUZZ_CHECK((*again)[i].has_value() && *(*again)[i] == events[i]);
  }
  return 0;
}
