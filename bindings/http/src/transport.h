#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace cirro::internal::http {

/// How a read or write ended.
struct IoResult {
  enum class Kind : std::uint8_t {
    kDone,    ///< `size` bytes, at least one.
    kBlock,   ///< Nothing now; an edge comes when there is.
    kEnd,     ///< The peer sends no more. Of reads.
    kBroken,  ///< The connection is gone.
  };
  Kind kind = Kind::kBroken;
  std::size_t size = 0;
};

/// The bytes of one connection: a plain socket; what encrypts stands in the
/// same place. Never blocks. Closed by its destructor.
class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  virtual IoResult Read(std::span<char> into) noexcept = 0;
  virtual IoResult Write(std::string_view bytes) noexcept = 0;
  /// Tells the peer that no more comes.
  virtual void EndWriting() noexcept = 0;
};

}  // namespace cirro::internal::http
