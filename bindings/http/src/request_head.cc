#include "request_head.h"

#include <boost/beast/http/basic_parser.hpp>
#include <limits>

#include "cirro/cloudevents/media_type.h"

namespace cirro::internal {
namespace {

namespace http = boost::beast::http;
using boost::optional;
using boost::beast::error_code;

// Longer values are legal HTTP, but no attribute may have one, and libraries
// behind us break on them.
constexpr std::size_t kMaxValueBytes = 65'535;

// RFC 9110 section 7.2: uri-host [ ":" port ]. Only what could mean something
// else to another server is refused.
bool IsHost(std::string_view host) {
  for (const char c : host) {
    if (c <= ' ' || c == '/' || c == '@' || c == ',' || c == '?' || c == '#' ||
        c == '\\' || c == 0x7f) {
      return false;
    }
  }
  return true;
}

std::string_view ToView(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

// Beast's grammar for the request line and the fields; what it lets pass and
// must not is caught here. It never sees a body or a trailer.
class HeadParser final : public http::basic_parser<true> {
 public:
  explicit HeadParser(RequestHead& head) : head_(head) {
    eager(false);
    header_limit(std::numeric_limits<std::uint32_t>::max());
    body_limit(boost::none);
  }

  bool Parse(std::string_view block, HttpRefusal& refusal) {
    error_code error;
    const std::size_t used = put({block.data(), block.size()}, error);
    if (error || used != block.size()) {
      Refuse(error, refusal);
      return false;
    }
    if (!CheckFraming(refusal)) return false;
    head_.keep_alive = keep_alive();
    return true;
  }

 private:
  static void Refuse(const error_code& error, HttpRefusal& refusal) {
    if (error == http::error::bad_version) {
      refusal = {505, HttpReject::kVersion, "HTTP/1.0 and HTTP/1.1 are spoken"};
    } else if (error == http::error::header_limit) {
      refusal = {431, HttpReject::kHeaderTooLarge,
                 "a header value is too long"};
    } else if (error == http::error::bad_transfer_encoding) {
      refusal = {400, HttpReject::kBadRequest,
                 "the length of the body is ambiguous"};
    } else if (error == http::error::bad_content_length ||
               error == http::error::multiple_content_length) {
      refusal = {400, HttpReject::kBadRequest, "Content-Length is not valid"};
    } else {
      refusal = {400, HttpReject::kBadRequest, "the request is not valid HTTP"};
    }
  }

  // RFC 9112 section 6: the ways to say a length that two servers could read
  // as two lengths.
  bool CheckFraming(HttpRefusal& refusal) {
    if (transfer_encodings_ != 0 &&
        (transfer_encodings_ > 1 || !only_chunked_ || !head_.http11)) {
      refusal = {501, HttpReject::kTransferEncoding,
                 "the only Transfer-Encoding is one 'chunked', on HTTP/1.1"};
      return false;
    }
    if (content_lengths_ > 1 || list_of_lengths_) {
      refusal = {400, HttpReject::kBadRequest, "Content-Length comes twice"};
      return false;
    }
    // "A server MUST respond with a 400 status code to any HTTP/1.1 request
    // message that lacks a Host header field and to any request message that
    // contains more than one Host header field line or a Host header field
    // with an invalid field value." RFC 9112 section 3.2
    if (hosts_ > 1 || (hosts_ == 0 && head_.http11) || !valid_host_) {
      refusal = {400, HttpReject::kBadRequest, "one valid Host is required"};
      return false;
    }
    if (unknown_expectation_) {
      refusal = {417, HttpReject::kExpectation, "only 100-continue is known"};
      return false;
    }
    return true;
  }

  void on_request_impl(http::verb, boost::beast::string_view method,
                       boost::beast::string_view target, int version,
                       error_code&) override {
    head_.method = ToView(method);
    head_.target = ToView(target);
    head_.http11 = version == 11;
  }

  void on_field_impl(http::field field, boost::beast::string_view raw_name,
                     boost::beast::string_view raw_value,
                     error_code& error) override {
    const std::string_view name = ToView(raw_name);
    const std::string_view value = ToView(raw_value);
    if (value.size() > kMaxValueBytes) {
      error = http::error::header_limit;
      return;
    }
    head_.headers.push_back({name, value});
    switch (field) {
      case http::field::unknown:
        Remember(name, value);
        break;
      case http::field::host:
        ++hosts_;
        valid_host_ = valid_host_ && IsHost(value);
        break;
      case http::field::content_length:
        ++content_lengths_;
        list_of_lengths_ =
            list_of_lengths_ || value.find(',') != std::string_view::npos;
        break;
      case http::field::transfer_encoding:
        ++transfer_encodings_;
        only_chunked_ = EqualsIgnoreCase(value, "chunked");
        break;
      case http::field::expect:
        if (EqualsIgnoreCase(value, "100-continue")) {
          head_.expects_continue = head_.http11;
        } else {
          unknown_expectation_ = true;
        }
        break;
      case http::field::accept:
        if (head_.accept.empty()) head_.accept = value;
        break;
      default:
        break;
    }
  }

  void Remember(std::string_view name, std::string_view value) {
    if (name.size() == 11 && EqualsIgnoreCase(name, "traceparent")) {
      if (head_.traceparent.empty()) head_.traceparent = value;
    } else if (name.size() == 10 && EqualsIgnoreCase(name, "tracestate")) {
      if (head_.tracestate.empty()) head_.tracestate = value;
    }
  }

  void on_header_impl(error_code&) override {
    head_.content_length = content_length().value_or(0);
    head_.chunked = chunked();
  }

  // Not reached: bodies are read elsewhere.
  void on_response_impl(int, boost::beast::string_view, int,
                        error_code&) override {}
  void on_body_init_impl(const optional<std::uint64_t>&, error_code&) override {
  }
  std::size_t on_body_impl(boost::beast::string_view, error_code&) override {
    return 0;
  }
  void on_chunk_header_impl(std::uint64_t, boost::beast::string_view,
                            error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view,
                                 error_code&) override {
    return 0;
  }
  void on_finish_impl(error_code&) override {}

  RequestHead& head_;
  int hosts_ = 0;
  int content_lengths_ = 0;
  int transfer_encodings_ = 0;
  bool valid_host_ = true;
  bool list_of_lengths_ = false;
  bool only_chunked_ = false;
  bool unknown_expectation_ = false;
};

}  // namespace

bool ParseRequestHead(std::string_view block, RequestHead& head,
                      HttpRefusal& refusal) {
  head.headers.clear();
  head.accept = {};
  head.traceparent = {};
  head.tracestate = {};
  head.content_length = 0;
  head.chunked = false;
  head.expects_continue = false;
  return HeadParser(head).Parse(block, refusal);
}

}  // namespace cirro::internal
