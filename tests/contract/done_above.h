#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "cirro/dispatch/offset_map.h"

namespace cirro::test {

/// How many messages above the committed offset the commit says to be done.
inline std::uint64_t DoneAbove(std::uint64_t committed,
                               std::string_view metadata,
                               std::string_view place = {}) {
  const auto map = DecodeOffsetMap(
      metadata, committed, std::numeric_limits<std::uint64_t>::max(), place);
  if (!map) return 0;
  std::uint64_t done = 0;
  for (const OffsetRun& run : map->done) done += run.end - run.begin;
  return done;
}

}  // namespace cirro::test
