// A request head, against Boost.Beast's parser as the judge: what we take,
// Beast takes as the same request. (It takes more than we do.)

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bindings/http/src/request_head.h"
#include "cirro/cloudevents/json_format.h"
#include "cirro/cloudevents/media_type.h"

namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using cirro::internal::http::HttpRefusal;
using cirro::internal::http::RequestHead;

void Require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

class Judge final : public http::basic_parser<true> {
 public:
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> fields;

 private:
  void on_request_impl(http::verb, boost::beast::string_view its_method,
                       boost::beast::string_view its_target, int,
                       error_code&) override {
    method.assign(its_method.data(), its_method.size());
    target.assign(its_target.data(), its_target.size());
  }
  void on_field_impl(http::field, boost::beast::string_view name,
                     boost::beast::string_view value, error_code&) override {
    fields.emplace_back(std::string(name.data(), name.size()),
                        std::string(value.data(), value.size()));
  }
  void on_response_impl(int, boost::beast::string_view, int,
                        error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&,
                         error_code&) override {}
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
};

// As the connection's own parser gives it: up to the empty line, and no line
// feed that does not end a line, none before a blank.
std::string_view HeadIn(std::string_view text) {
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string_view::npos || end == 0) return {};
  text = text.substr(0, end + 4);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) return {};
    if (text[i] == '\n' && i + 1 < text.size() &&
        (text[i + 1] == ' ' || text[i + 1] == '\t')) {
      return {};
    }
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string_view head_text =
      HeadIn({reinterpret_cast<const char*>(data), size});
  if (head_text.empty() || head_text[0] == '\r') return 0;
  std::string padded(head_text);
  padded.append(cirro::internal::http::kHeadPadding, ':');
  RequestHead head;
  HttpRefusal refusal;

  const bool taken = cirro::internal::http::ParseRequestHead(
      std::string_view(padded).substr(0, head_text.size()), head, refusal);
  if (!taken) {
    Require(refusal.status >= 400 && refusal.status < 600, "it says why not");
    return 0;
  }

  Judge judge;
  judge.eager(false);
  judge.header_limit(1U << 30);
  judge.body_limit(boost::none);
  error_code error;
  const std::size_t used =
      judge.put({head_text.data(), head_text.size()}, error);
  // Beast refuses malformed lists in Connection, which we need not understand.
  if (error == http::error::bad_value) return 0;
  Require(!error && used == head_text.size(), "what we take, Beast takes");
  Require(head.method == judge.method && head.target == judge.target,
          "with the same request line");
  Require(head.headers.size() == judge.fields.size(), "as many fields");
  for (std::size_t i = 0; i < judge.fields.size(); ++i) {
    Require(head.headers[i].name == judge.fields[i].first &&
                head.headers[i].value == judge.fields[i].second,
            "with the same names and values");
  }
  Require(head.chunked == judge.chunked(), "chunked or not");
  Require(head.content_length == judge.content_length().value_or(0),
          "and as long");
  // Beast listens to Proxy-Connection too, and not to `close` on HTTP/1.0.
  const bool proxy = std::any_of(head.headers.begin(), head.headers.end(),
                                 [](const cirro::HttpHeader& header) {
                                   return cirro::EqualsIgnoreCase(
                                       header.name, "proxy-connection");
                                 });
  Require(proxy || !head.keep_alive || judge.keep_alive(),
          "and lasting no longer");
  return 0;
}
