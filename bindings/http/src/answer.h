#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cirro/dispatch/delivery.h"
#include "cirro/http/codec.h"
#include "cirro/http/options.h"
#include "cirro/http/receiver.h"
#include "request_head.h"

namespace cirro::internal::http {

/// Empties `buffer`. One that was large gives its memory back, which assigning
/// an empty string would not.
inline void ClearBuffer(std::string& buffer) {
  constexpr std::size_t kKept = 1'024;
  if (buffer.capacity() > kKept) {
    std::string().swap(buffer);
  } else {
    buffer.clear();
  }
}

/// An answer but for the connection's own header lines: `head` is the status
/// line and fields without the empty line that ends them.
struct Answer {
  std::string head;
  std::string body;

  [[nodiscard]] std::size_t size() const { return head.size() + body.size(); }
  /// Empties it, and gives back the memory of a large one.
  void Clear() {
    ClearBuffer(head);
    ClearBuffer(body);
  }
};

/// How one event of a batch ended.
struct EventOutcome {
  int status = 0;
  ErrorCode code = ErrorCode::kInternal;  ///< Where status is no success.
  std::string detail{};
  std::vector<Event> replies{};  ///< What the answer is to carry of it.
};

/// Success without a body.
void WriteDone(int status, Answer& out);
/// One reply event. REQUIRES: mode is kBinary or kStructured.
void WriteReply(const Event& event, ContentMode mode, Answer& out);
/// The replies of a batch, as a JSON batch; they are gone afterwards.
/// REQUIRES: there are some.
void WriteBatchReply(std::span<EventOutcome> outcomes, Answer& out);
/// What did not succeed, as problem+json.
/// Source: RFC 9457.
void WriteProblem(int status, std::string_view code, std::string_view detail,
                  std::chrono::milliseconds retry_after, Answer& out);
/// A batch that did not succeed as a whole: the outcome of each event, and its
/// replies where nobody will send it again. Only the first outcomes that are no
/// success say more than their code. Takes the replies it writes.
void WriteBatchProblem(int status, std::span<EventOutcome> outcomes,
                       std::chrono::milliseconds retry_after, Answer& out);
void WriteRefusal(const HttpRefusal& refusal, Answer& out);
/// To OPTIONS and to other methods than POST.
void WriteOptions(std::string_view allow, Answer& out);
void WriteMethodNotAllowed(std::string_view allow, Answer& out);
void WriteSideReply(const HttpReply& reply, Answer& out);

}  // namespace cirro::internal::http
