// Hostile data for functions behind a schema, over a real socket: each is
// answered by the table, and the process goes on.

#include <cirro/cirro.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "support/raw_http.h"

namespace cirro {
namespace {

using test::RawHttpClient;
using test::RawResponse;
using ::testing::HasSubstr;

// A pattern that takes a stack frame for each byte of a text.
constexpr const char* kSchema = R"({
  "type": "object",
  "properties": {"name": {"type": "string", "pattern": "^(a|b)*$"}}
})";

class HostileData : public ::testing::Test {
 protected:
  void SetUp() override {
    app_.On({.name = "checked", .type = "checked", .data_schema = kSchema},
            [this](const Event&) { ++called_; });
    const auto started =
        app_.Start({"--host=127.0.0.1", "--port=0", "--set=log.level=error"});
    ASSERT_TRUE(started) << started.error().message;
    client_ = std::make_unique<RawHttpClient>(app_.port());
  }
  RawResponse Binary(std::string_view data) {
    return client_->Exchange(
        test::Post("ce-specversion: 1.0\r\nce-source: /test\r\n"
                   "ce-type: checked\r\nce-id: 1\r\n"
                   "Content-Type: application/json\r\n",
                   data));
  }
  static std::string Json(std::string_view data) {
    return R"({"specversion":"1.0","source":"/test","type":"checked",)"
           R"("id":"1","data":)" +
           std::string(data) + "}";
  }
  RawResponse Structured(std::string_view data) {
    return client_->Exchange(test::Post(
        "Content-Type: application/cloudevents+json\r\n", Json(data)));
  }
  RawResponse Batch(const std::string& events) {
    return client_->Exchange(
        test::Post("Content-Type: application/cloudevents-batch+json\r\n",
                   "[" + events + "]"));
  }
  static std::string Named(std::size_t bytes) {
    return R"({"name":")" + std::string(bytes, 'a') + "\"}";
  }

  std::atomic<int> called_ = 0;
  App app_;
  std::unique_ptr<RawHttpClient> client_;
};

TEST_F(HostileData, ALongStringWhereThereIsAPatternIsRejected) {
  for (const std::size_t bytes : {1'025U, 50'000U, 1'000'000U}) {
    const RawResponse binary = Binary(Named(bytes));
    const RawResponse structured = Structured(Named(bytes));

    EXPECT_EQ(binary.status, 422) << bytes;
    EXPECT_THAT(binary.body, HasSubstr("1024"));
    EXPECT_LT(binary.body.size(), 1'000u);
    EXPECT_EQ(structured.status, 422) << bytes;
  }
  EXPECT_EQ(called_, 0);
  EXPECT_EQ(Binary(Named(1'024)).status, 202);
  EXPECT_EQ(called_, 1);
}

TEST_F(HostileData, ALongStringAnywhereIsRejected) {
  const std::string text = '"' + std::string(50'000, 'a') + '"';

  EXPECT_EQ(Binary(text).status, 422);
  EXPECT_EQ(Binary("[" + text + "]").status, 422);
  EXPECT_EQ(Binary(R"({"other":)" + text + "}").status, 422);
  EXPECT_EQ(Binary("{" + text + ":1}").status, 422);
  EXPECT_EQ(
      Binary(R"({"name":"\u0061)" + std::string(50'000, 'a') + "\"}").status,
      422);
  EXPECT_EQ(called_, 0);
  EXPECT_EQ(Binary(Named(1)).status, 202);
}

TEST_F(HostileData, OfABatchTheOthersRun) {
  const RawResponse response =
      Batch(Json(Named(1)) + "," + Json(Named(50'000)) + "," + Json(Named(2)));

  EXPECT_EQ(response.status, 422);
  EXPECT_THAT(response.body, HasSubstr("1024"));
  EXPECT_EQ(called_, 2);
}

TEST_F(HostileData, ManyValuesAreRejected) {
  std::string values = "1";
  for (int i = 0; i < 100'000; ++i) values += ",1";

  EXPECT_EQ(Binary("[" + values + "]").status, 422);
  EXPECT_EQ(called_, 0);
  EXPECT_EQ(Binary(Named(1)).status, 202);
}

}  // namespace
}  // namespace cirro
