// RFC 3339: what is read is in range, and is read again from what is written.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cirro/cloudevents/timestamp.h"
#include "fuzz_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using namespace cirro;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto time = ParseTimestamp(text);
  CIRRO_FUZZ_CHECK(time.has_value() == IsTimestamp(text));
  if (!time) {
    CIRRO_FUZZ_CHECK(time.error().rules == std::vector<int>{11});
    return 0;
  }
  CIRRO_FUZZ_CHECK(time->nanoseconds < 1'000'000'000);
  CIRRO_FUZZ_CHECK(time->offset_minutes > -1'440);
  CIRRO_FUZZ_CHECK(time->offset_minutes < 1'440);
  const auto again = ParseTimestamp(FormatTimestamp(*time));
  // A leap second at the very end is the one instant that has no other name.
  if (!again) {
    CIRRO_FUZZ_CHECK(text.substr(0, 4) == "9999");
    return 0;
  }
  CIRRO_FUZZ_CHECK(*again == *time);
  CIRRO_FUZZ_CHECK(again->offset_minutes == time->offset_minutes);
  CIRRO_FUZZ_CHECK(ToSysTime(*again) == ToSysTime(*time));
  return 0;
}
