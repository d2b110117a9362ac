// A partition's life as the bytes say, and what is committed of it: whoever
// reads that skips nothing that was open, and does nothing again that was done.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cirro/dispatch/offset_map.h"
#include "cirro/dispatch/watermark.h"
#include "fuzz_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace cirro;
  constexpr std::uint32_t kSpan = 512;
  Watermark watermark(kSpan);
  watermark.Reset(1'000);
  OffsetMap map;
  std::uint64_t reader = 1'000;
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint64_t number = data[i] >> 2;
    switch (data[i] & 3) {
      case 0:
        reader += number;
        if (watermark.Delivered(reader) != Watermark::Arrival::kNoRoom) {
          ++reader;
        }
        break;
      case 1:
        watermark.Done(watermark.position() + number);
        break;
      case 2:
        watermark.Done(watermark.next() - 1 - number);
        break;
      default:
        if (watermark.IsOpen(watermark.position())) {
          map.attempts = {
              {watermark.position(), static_cast<std::uint32_t>(number) + 1}};
        }
    }
  }
  map.base = watermark.position();
  map.starts = size > 0 ? data[0] : 0;
  map.clean = size % 2 == 0;
  map.next = watermark.next();
  watermark.DoneAbove(map.done);
  if (!map.attempts.empty() && map.attempts[0].offset < map.base) {
    map.attempts.clear();
  }

  const std::string text = EncodeOffsetMap(map);
  CIRRO_FUZZ_CHECK(text.size() <= kMostMetadataBytes);
  const auto read = DecodeOffsetMap(text, map.base, watermark.next());
  CIRRO_FUZZ_CHECK(read.has_value());
  CIRRO_FUZZ_CHECK(*read == map);
  Watermark next(kSpan);
  next.Restore(read->base, read->done);
  CIRRO_FUZZ_CHECK(next.position() == watermark.position());
  for (std::uint64_t at = map.base; at < map.next; ++at) {
    CIRRO_FUZZ_CHECK(next.IsDone(at) == watermark.IsDone(at));
  }
  return 0;
}
