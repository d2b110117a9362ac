#pragma once

#include <curl/curl.h>

#include <chrono>
#include <string>
#include <vector>

#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/outlet.h"
#include "cirro/http_client/http_client.h"
#include "handle.h"
#include "target.h"

namespace cirro::internal::http_client {

/// An event on its way, and the duty to say how it ended.
struct Sending {
  Event event;
  SendCompletion completion;
  TimePoint deadline;
};

/// How a request ended.
struct Answer {
  Result<void> result;
  std::chrono::milliseconds retry_after{0};
};

/// One request at a time to one target, on a handle that is kept. Belongs to
/// the outlet's thread.
class Transfer {
 public:
  /// REQUIRES: `options` and `target` outlive *this. Throws std::bad_alloc.
  Transfer(const HttpOutletOptions& options, const Target& target);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  /// Makes the request of `batch`, which holds one event unless the mode is
  /// kBatch. REQUIRES: idle(); not in a multi handle.
  void Prepare(std::vector<Sending> batch, TimePoint now);

  /// What the finished request means.
  [[nodiscard]] Answer Read(CURLcode code);
  /// What an unfinished one means that is given up.
  [[nodiscard]] Answer GiveUp();

  /// Completes each event of the batch with `answer`; idle after that.
  void Complete(const Answer& answer) noexcept;

  /// Whether this libcurl takes `options.ca_certificates`.
  [[nodiscard]] bool TakesCertificates() const noexcept {
    return takes_certificates_;
  }
  [[nodiscard]] bool idle() const noexcept { return batch_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return batch_.size(); }
  [[nodiscard]] CURL* handle() const noexcept { return handle_.get(); }

 private:
  static std::size_t Discard(char* data, std::size_t size, std::size_t count,
                             void* self) noexcept;
  [[nodiscard]] bool WasSent() const noexcept;
  [[nodiscard]] Answer Failed(ErrorCode code, std::string_view why) const;

  const HttpOutletOptions& options_;
  const Target& target_;
  char why_[CURL_ERROR_SIZE] = {};  // handle_ writes to it.
  EasyHandle handle_;
  HeaderList headers_;
  std::vector<Sending> batch_;
  std::string header_lines_;
  std::string body_;
  std::size_t discarded_ = 0;
  bool takes_certificates_ = true;
};

}  // namespace cirro::internal::http_client
