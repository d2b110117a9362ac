#pragma once

#include <cstdint>
#include <string>

#include "cirro/cloudevents/result.h"

namespace cirro::internal::http {

/// A listening TCP socket that does not block, or none.
class Listener {
 public:
  /// Fails with kInvalidConfig (an address that is none, or not here; a port
  /// we may not have) or kUnavailable (taken). `setting` names the port's.
  static Result<Listener> Open(const std::string& address, std::uint16_t port,
                               const char* setting);
  /// Takes over an inherited one. Fails with kInvalidConfig if it is none, or
  /// neither IPv4 nor IPv6.
  static Result<Listener> Adopt(int fd);

  Listener() = default;
  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&& other) noexcept;
  ~Listener();

  [[nodiscard]] bool open() const { return fd_ >= 0; }
  [[nodiscard]] int fd() const { return fd_; }
  /// Where it listens, as the system says; the address in digits.
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }

  /// The next connection, not blocking and without delay (TCP_NODELAY is
  /// inherited); or -1, with errno.
  [[nodiscard]] int Accept() const;
  void Close();

 private:
  [[nodiscard]] bool FindPlace();

  int fd_ = -1;
  std::string address_;
  std::uint16_t port_ = 0;
};

}  // namespace cirro::internal::http
