#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "bindings/http/src/status.h"
#include "cirro/http/receiver.h"

namespace cirro {
namespace {

std::string Read(const std::string& path) {
  std::ifstream file(std::string(CIRRO_SOURCE_DIR) + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The begin of a table's line.
std::string Row(std::string_view name, int status) {
  return "\n| `" + std::string(name) + "` | " + std::to_string(status) + " | ";
}

TEST(HttpPage, HasTheStatusOfEachErrorCode) {
  const std::string page = Read("/docs/http.md");

  for (int i = 0; i <= static_cast<int>(ErrorCode::kInternal); ++i) {
    const auto code = static_cast<ErrorCode>(i);
    const int status = internal::http::StatusOf(code, HttpOptions{});
    EXPECT_NE(page.find(Row(ToString(code), status)), std::string::npos)
        << ToString(code) << " is " << status;
  }
}

// The statuses are written where a request is refused: `{413, HttpReject::k..`.
TEST(HttpPage, HasTheStatusOfEachRefusal) {
  const std::string page = Read("/docs/http.md");
  std::string sources;
  for (const char* file :
       {"answer", "chunked_body", "connection", "connection_request",
        "request_head", "request_parser"}) {
    sources += Read("/bindings/http/src/" + std::string(file) + ".cc");
  }
  // Names in the order of the enumeration, from its declaration.
  const std::string header =
      Read("/bindings/http/include/cirro/http/receiver.h");
  const std::size_t begin = header.find("enum class HttpReject");
  const std::string declared =
      header.substr(begin, header.find("};", begin) - begin);
  std::map<std::string, HttpReject> reasons;
  const std::regex name("\n  (k[A-Za-z]+),");
  int next = 0;
  for (std::sregex_iterator it(declared.begin(), declared.end(), name), end;
       it != end; ++it) {
    reasons[(*it)[1]] = static_cast<HttpReject>(next++);
  }
  ASSERT_EQ(reasons.size(), kHttpRejects);

  std::set<HttpReject> seen;
  const std::regex use(
      "[({]([0-9]{3}), (?:ToString\\()?HttpReject::(k[A-Za-z]+)");
  for (std::sregex_iterator it(sources.begin(), sources.end(), use), end;
       it != end; ++it) {
    const HttpReject reason = reasons.at((*it)[2]);
    seen.insert(reason);
    const int status = std::stoi((*it)[1]);
    EXPECT_NE(page.find(Row(ToString(reason), status)), std::string::npos)
        << ToString(reason) << " is " << status;
  }
  // No `ce-` header at all is answered by the decoder's error code.
  seen.insert(HttpReject::kUnsupported);
  EXPECT_NE(page.find(Row("unsupported", 415)), std::string::npos);
  EXPECT_EQ(seen.size(), kHttpRejects);
}

}  // namespace
}  // namespace cirro
