#pragma once

#include "transport.h"

namespace cirro::internal::http {

/// A plain TCP socket.
class SocketTransport final : public Transport {
 public:
  /// Owns `fd`, which does not block.
  explicit SocketTransport(int fd) noexcept : fd_(fd) {}
  ~SocketTransport() override;

  IoResult Read(std::span<char> into) noexcept override;
  IoResult Write(std::string_view bytes) noexcept override;
  void EndWriting() noexcept override;

 private:
  const int fd_;
};

}  // namespace cirro::internal::http
