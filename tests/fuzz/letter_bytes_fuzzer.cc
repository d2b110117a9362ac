// What a file of dead letters keeps of one: headers and attributes as bytes.
// Whoever can write to the file chooses them. What is read is what is written.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bindings/sqlite/src/letter_bytes.h"
#include "fuzz_check.h"

using namespace cirro;  // NOLINT(google-build-using-namespace)
using namespace cirro::internal::
    sqlite;  // NOLINT(google-build-using-namespace)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1,
                              size - 1);
  if ((data[0] & 1) == 0) {
    const auto headers = UnpackHeaders(text);
    if (headers) CIRRO_FUZZ_CHECK(PackHeaders(*headers) == text);
    return 0;
  }
  const auto kind = static_cast<DataKind>((data[0] >> 1) % 3);
  const auto event = UnpackEvent(text, "1", kind);
  if (!event) {
    CIRRO_FUZZ_CHECK(event.error().code == ErrorCode::kInvalidEvent);
    return 0;
  }
  const auto again = UnpackEvent(PackAttributes(*event), event->data(), kind);
  CIRRO_FUZZ_CHECK(again);
  CIRRO_FUZZ_CHECK(*again == *event);
  return 0;
}
