#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "cirro/http/codec.h"

namespace cirro::test {

/// Decodes with a decoder of its own.
inline HttpContent DecodeHttp(std::span<const HttpHeader> headers,
                              std::string_view body = {},
                              const DecodeOptions& options = {}) {
  HttpDecoder decoder(options);
  return decoder.Decode(headers, body);
}
inline HttpContent DecodeHttp(std::initializer_list<HttpHeader> headers,
                              std::string_view body = {},
                              const DecodeOptions& options = {}) {
  return DecodeHttp(std::span(headers.begin(), headers.size()), body, options);
}

/// The header fields of lines that end in CR LF.
inline std::vector<HttpHeader> SplitHeaderLines(std::string_view lines) {
  std::vector<HttpHeader> headers;
  while (!lines.empty()) {
    const std::size_t end = lines.find("\r\n");
    const std::string_view line = lines.substr(0, end);
    const std::size_t colon = line.find(':');
    headers.push_back({line.substr(0, colon), line.substr(colon + 1)});
    lines.remove_prefix(end + 2);
  }
  return headers;
}

/// What is wrong with `content`; kInternal and empty if nothing is.
inline Error ErrorOf(const HttpContent& content) {
  const Error* const error = std::get_if<Error>(&content.value);
  return error == nullptr ? Error{ErrorCode::kInternal, {}} : *error;
}

/// The event in `content`; the test fails where there is none.
inline const Event& EventOf(const HttpContent& content) {
  if (const Error* const error = std::get_if<Error>(&content.value)) {
    ADD_FAILURE() << error->message;
  }
  return std::get<Event>(content.value);
}

}  // namespace cirro::test
