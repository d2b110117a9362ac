#pragma once

#include <cstddef>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "cirro/http/codec.h"

namespace cirro::test {

/// A request of tests/data/peers, as it was on the wire.
struct RecordedRequest {
  std::string bytes;
  std::string body;  ///< Without chunked framing.

  /// Views of `bytes`.
  [[nodiscard]] std::vector<HttpHeader> headers() const {
    std::vector<HttpHeader> fields;
    std::string_view head = bytes;
    head = head.substr(0, head.find("\r\n\r\n") + 2);
    head.remove_prefix(head.find("\r\n") + 2);
    while (!head.empty()) {
      const std::string_view line = head.substr(0, head.find("\r\n"));
      const std::size_t colon = line.find(':');
      fields.push_back({line.substr(0, colon), line.substr(colon + 1)});
      head.remove_prefix(line.size() + 2);
    }
    return fields;
  }
};

/// Undoes `\r`, `\n`, `\\` and `\xNN`; drops the file's own line ends.
inline std::string UnescapedBytes(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') continue;
    if (text[i] != '\\') {
      bytes += text[i];
      continue;
    }
    switch (text[++i]) {
      case 'r':
        bytes += '\r';
        break;
      case 'n':
        bytes += '\n';
        break;
      case 'x':
        bytes += static_cast<char>(
            std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
        break;
      default:
        bytes += text[i];
    }
  }
  return bytes;
}

/// The request in tests/data/peers/`name`. Throws where there is none.
inline RecordedRequest ReadRecorded(const std::string& name) {
  std::ifstream file(std::string(CIRRO_SOURCE_DIR "/tests/data/peers/") + name);
  file.exceptions(std::ios::failbit);
  std::ostringstream text;
  text << file.rdbuf();

  RecordedRequest request{.bytes = UnescapedBytes(text.str()), .body = {}};
  std::string_view body = request.bytes;
  const std::size_t end = body.find("\r\n\r\n");
  const bool chunked = body.substr(0, end).find("Transfer-Encoding: chunked") !=
                       std::string_view::npos;
  body.remove_prefix(end + 4);
  while (chunked) {
    const std::size_t line = body.find("\r\n");
    const std::size_t size =
        std::stoul(std::string(body.substr(0, line)), nullptr, 16);
    if (size == 0) return request;
    request.body += body.substr(line + 2, size);
    body.remove_prefix(line + 2 + size + 2);
  }
  request.body = body;
  return request;
}

}  // namespace cirro::test
