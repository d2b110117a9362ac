// What a commit's metadata may hold: what is read is in order, and is written
// again as it was.

#include "cirro/dispatch/offset_map.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "cirro/dispatch/watermark.h"
#include "fuzz_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace cirro;
  // The first byte says what was committed, so that a base can be met.
  if (size == 0) return 0;
  const std::uint64_t committed = data[0];
  constexpr std::uint64_t kEnd = 100'000;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1,
                              size - 1);
  const auto map = DecodeOffsetMap(text, committed, kEnd);
  if (!map) {
    CIRRO_FUZZ_CHECK(map.error().code == ErrorCode::kUnsupported);
    return 0;
  }
  CIRRO_FUZZ_CHECK(map->base == committed);
  CIRRO_FUZZ_CHECK(map->next >= map->base && map->next <= kEnd);
  std::uint64_t least = map->base + 1;
  for (const OffsetRun& run : map->done) {
    CIRRO_FUZZ_CHECK(run.begin >= least && run.end > run.begin);
    CIRRO_FUZZ_CHECK(run.end <= kEnd);
    least = run.end + 1;
  }
  for (const auto* const counts : {&map->crashes, &map->attempts}) {
    least = map->base;
    for (const OffsetCount& one : *counts) {
      CIRRO_FUZZ_CHECK(one.offset >= least && one.offset < kEnd);
      CIRRO_FUZZ_CHECK(one.count >= 1);
      least = one.offset + 1;
    }
  }
  CIRRO_FUZZ_CHECK(EncodeOffsetMap(*map, size + 64) == text);
  return 0;
}
