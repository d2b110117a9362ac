#include "request_parser.h"

#include <cassert>
#include <cstring>

#include "cirro/cloudevents/json_format.h"

namespace cirro::internal::http {
namespace {

// A request begins with a token. What does not (a TLS hello, binary noise)
// is refused at once instead of waiting for a line that never ends.
bool MayBeginRequest(char c) { return c > ' ' && c < 0x7f; }

}  // namespace

RequestParser::Step RequestParser::Refuse(HttpRefusal refusal) {
  refusal_ = refusal;
  return Step::kRefused;
}

// Walks the lines that are whole now. True: the empty line is among them, and
// head_size_ is set. False with a refusal_.status: refused; else: need more.
bool RequestParser::ScanLines(std::string_view input) {
  for (;;) {
    const char* const line = input.data() + scanned_;
    const std::size_t left = input.size() - scanned_;
    const auto* const feed =
        left == 0 ? nullptr
                  : static_cast<const char*>(std::memchr(line, '\n', left));
    const std::size_t size =
        feed == nullptr ? left : static_cast<std::size_t>(feed - line) + 1;
    if (lines_ == 0 && size > options_.line_limit) {
      refusal_ = {414, HttpReject::kTargetTooLong,
                  "the request line is too long"};
      return false;
    }
    if (scanned_ + size > options_.header_limit ||
        lines_ > options_.max_headers + 1) {
      refusal_ = {431, HttpReject::kHeaderTooLarge, "the header is too large"};
      return false;
    }
    // "A server that receives an obs-fold in a request message that is not
    // within a "message/http" container MUST either reject the message [...]"
    // RFC 9112 section 5.2
    if (lines_ > 0 && size > 0 && (line[0] == ' ' || line[0] == '\t')) {
      refusal_ = {400, HttpReject::kBadRequest, "a folded header line"};
      return false;
    }
    if (feed == nullptr) return false;
    if (size < 2 || line[size - 2] != '\r') {
      refusal_ = {400, HttpReject::kBadRequest, "a line without CR"};
      return false;
    }
    scanned_ += size;
    ++lines_;
    if (size == 2) {
      head_size_ = scanned_;
      return true;
    }
  }
}

RequestParser::Step RequestParser::Head(std::string_view input,
                                        RequestHead& head) {
  is_head_ = input.starts_with("HEAD ");
  if (!ScanLines(input)) {
    return refusal_.status == 0 ? Step::kNeedMore : Step::kRefused;
  }
  if (!ParseRequestHead(input.substr(0, head_size_), head, refusal_)) {
    return Step::kRefused;
  }
  if (head.content_length > options_.body_limit) {
    return Refuse({413, HttpReject::kBodyTooLarge, "the body is too large"});
  }
  expects_continue_ = head.expects_continue;
  body_size_ = head.content_length;
  phase_ = head.chunked ? Phase::kChunked : Phase::kSized;
  return Step::kComplete;
}

RequestParser::Progress RequestParser::Complete(std::size_t consumed) {
  phase_ = Phase::kIdle;
  is_head_ = false;
  skipped_line_ = false;
  scanned_ = 0;
  lines_ = 0;
  head_size_ = 0;
  return {Step::kComplete, consumed};
}

RequestParser::Progress RequestParser::Advance(std::string_view input,
                                               RequestHead& head) {
  std::size_t consumed = 0;
  bool has_head = false;
  if (phase_ == Phase::kIdle) {
    // "a server that is expecting to receive and parse a request-line SHOULD
    // ignore at least one empty line (CRLF) received prior to the
    // request-line." RFC 9112 section 2.2
    if (!skipped_line_ && input.starts_with("\r\n")) {
      skipped_line_ = true;
      consumed = 2;
      input.remove_prefix(2);
    }
    if (input.empty() || (!skipped_line_ && input == "\r")) {
      return {Step::kNeedMore, consumed};
    }
    if (!MayBeginRequest(input.front())) {
      return {Refuse({400, HttpReject::kBadRequest,
                      "the request is not valid HTTP"}),
              consumed};
    }
    phase_ = Phase::kHead;
  }

  if (phase_ == Phase::kHead) {
    const Step step = Head(input, head);
    if (step != Step::kComplete) return {step, consumed};
    has_head = true;
    if (phase_ == Phase::kChunked) {
      head_copy_.assign(input, 0, head_size_);
      head_copy_.append(kHeadPadding, '\0');
      chunks_ = {};
      consumed += head_size_;
      input.remove_prefix(head_size_);
    }
  }

  if (phase_ == Phase::kSized) {
    if (input.size() - head_size_ < body_size_) {
      return {Step::kNeedMore, consumed};
    }
    // The head was read in an earlier call, whose views are gone.
    if (!has_head &&
        !ParseRequestHead(input.substr(0, head_size_), head, refusal_)) {
      return {Step::kRefused, consumed};
    }
    body_ = input.substr(head_size_, body_size_);
    return Complete(consumed + head_size_ + body_size_);
  }

  assert(phase_ == Phase::kChunked);
  const ChunkedBody::Progress progress =
      chunks_.Feed(input, chunk_data_, options_.body_limit, refusal_);
  consumed += progress.consumed;
  if (progress.step == ChunkedBody::Step::kNeedMore) {
    return {Step::kNeedMore, consumed};
  }
  // The views of a head in `input` would do, but the copy is always there.
  if (progress.step == ChunkedBody::Step::kRefused ||
      !ParseRequestHead(std::string_view(head_copy_).substr(0, head_size_),
                        head, refusal_)) {
    return {Step::kRefused, consumed};
  }
  body_ = chunk_data_;
  return Complete(consumed);
}

}  // namespace cirro::internal::http
