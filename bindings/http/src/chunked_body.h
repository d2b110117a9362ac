#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "request_head.h"

namespace cirro::internal::http {

/// Takes a chunked body apart, in whatever pieces it comes. Chunk extensions
/// and trailer fields are read and dropped: nobody asked for them, and a
/// trailer that became a header would be an injection.
/// Source: RFC 9112 section 7.1.
class ChunkedBody {
 public:
  enum class Step : std::uint8_t { kNeedMore, kComplete, kRefused };
  struct Progress {
    Step step;
    std::size_t consumed;
  };

  /// Appends data to `body`, which never exceeds `limit` bytes.
  Progress Feed(std::string_view input, std::string& body, std::size_t limit,
                HttpRefusal& refusal);

 private:
  enum class State : std::uint8_t {
    kSize,       ///< In the digits of a chunk's size.
    kExtension,  ///< After them, up to CR.
    kSizeEnd,    ///< LF of the size line.
    kData,       ///< `remaining_` bytes of data.
    kDataCr,     ///< CR after the data.
    kDataLf,
    kTrailerStart,  ///< First byte of a trailer line.
    kTrailer,       ///< In a trailer line, up to CR.
    kTrailerEnd,    ///< LF of a trailer line.
    kEnd,           ///< LF of the empty line.
  };
  enum class Verdict : std::uint8_t { kGoOn, kComplete, kInvalid };

  Verdict Next(char c);
  bool TakeDigit(char c);

  State state_ = State::kSize;
  std::uint8_t digits_ = 0;
  std::uint64_t remaining_ = 0;
  std::size_t overhead_ = 0;  ///< Bytes of extensions and trailers so far.
};

}  // namespace cirro::internal::http
