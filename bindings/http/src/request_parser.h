#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "answer.h"
#include "chunked_body.h"
#include "cirro/http/options.h"
#include "request_head.h"

namespace cirro::internal::http {

/// Cuts requests out of one connection's bytes, in whatever pieces they come.
/// Between requests it holds nothing but a few words.
class RequestParser {
 public:
  enum class Step : std::uint8_t {
    kNeedMore,  ///< All of the input is looked at; call again with more.
    kComplete,  ///< `head` and body() are a request.
    kRefused,   ///< refusal() says why; the connection is of no more use.
  };
  struct Progress {
    Step step;
    std::size_t consumed;  ///< From the front of the input; never seen again.
  };

  /// REQUIRES: options outlives *this.
  explicit RequestParser(const HttpOptions& options) : options_(options) {}

  /// `input` is what came and was not consumed yet, with kHeadPadding readable
  /// bytes behind it. After kComplete, `head` and body() are views of `input`
  /// and of *this, until the next call.
  Progress Advance(std::string_view input, RequestHead& head);

  [[nodiscard]] std::string_view body() const { return body_; }
  [[nodiscard]] std::size_t memory() const {
    return head_copy_.capacity() + chunk_data_.capacity();
  }
  /// The request is taken: gives back the memory of its views.
  void Release() {
    body_ = {};
    ClearBuffer(head_copy_);
    ClearBuffer(chunk_data_);
  }
  [[nodiscard]] const HttpRefusal& refusal() const { return refusal_; }

  /// Something of a request came, and not yet all of it.
  [[nodiscard]] bool in_request() const { return phase_ != Phase::kIdle; }
  [[nodiscard]] bool in_body() const {
    return phase_ == Phase::kSized || phase_ == Phase::kChunked;
  }
  /// The method of the request in hand is HEAD, so far as it was read.
  [[nodiscard]] bool is_head() const { return is_head_; }
  /// The head asked for `100 Continue`. REQUIRES: in_body().
  [[nodiscard]] bool expects_continue() const { return expects_continue_; }
  /// How long the input must become for the request in hand; 0: not known.
  [[nodiscard]] std::size_t wanted() const {
    return phase_ == Phase::kSized ? head_size_ + body_size_ : 0;
  }

 private:
  enum class Phase : std::uint8_t { kIdle, kHead, kSized, kChunked };

  Step Head(std::string_view input, RequestHead& head);
  bool ScanLines(std::string_view input);
  Step Refuse(HttpRefusal refusal);
  Progress Complete(std::size_t consumed);

  const HttpOptions& options_;
  Phase phase_ = Phase::kIdle;
  bool skipped_line_ = false;  ///< The empty line before a request line.
  bool is_head_ = false;
  bool expects_continue_ = false;
  std::size_t scanned_ = 0;    ///< Whole lines of the head, in bytes.
  std::size_t lines_ = 0;      ///< Whole lines of the head, the request's too.
  std::size_t head_size_ = 0;  ///< 0 until the empty line came.
  std::size_t body_size_ = 0;  ///< Of kSized.
  std::string_view body_;
  ChunkedBody chunks_;
  std::string head_copy_;   ///< Of kChunked, whose head is consumed at once.
  std::string chunk_data_;  ///< Of kChunked.
  HttpRefusal refusal_;
};

}  // namespace cirro::internal::http
