// Bytes to Event and back, as the HTTP receiver does it: what a parser found in
// a request is decoded, validated and copied into one block.

#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cirro/cloudevents/decode_options.h"
#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/json_format.h"
#include "cirro/http/codec.h"
#include "micro.h"

namespace cirro::bench {
namespace {

// 200 bytes.
constexpr std::string_view kData =
    R"({"order":"7f4c1c0e-52d1-4b0f-9c8e-0d5f3c1b7a21","customer":"c-109",)"
    R"("currency":"EUR","total":129.95,"items":[{"sku":"A-100","quantity":2},)"
    R"({"sku":"B-205","quantity":1}],"note":"leave at the front door"})";

// A structured event of 200 bytes in all.
constexpr std::string_view kSmallEvent =
    R"({"specversion":"1.0","id":"b7c2f0de-6a52","source":"/shops/berlin/4",)"
    R"("type":"com.example.order.placed","time":"2024-05-17T08:30:12Z",)"
    R"("datacontenttype":"application/json","data":{"total":129.95,"n":2}})";

constexpr std::size_t kBatch = 100;

/// What an HTTP parser hands over of one request.
struct Request {
  std::vector<HttpHeader> headers;
  std::string body;
};

Request BinaryRequest() {
  return {{{"Host", "127.0.0.1:8080"},
           {"Content-Length", "200"},
           {"ce-specversion", "1.0"},
           {"ce-id", "b7c2f0de-6a52-4f0e-8f4e-3f1d2c5a9e10"},
           {"ce-source", "/shops/berlin/tills/4"},
           {"ce-type", "com.example.order.placed"},
           {"ce-subject", "orders/1009"},
           {"ce-time", "2024-05-17T08:30:12.345678Z"},
           {"Content-Type", "application/json"}},
          std::string(kData)};
}

Request StructuredRequest(std::string_view event) {
  return {{{"Host", "127.0.0.1:8080"},
           {"Content-Length", "200"},
           {"Content-Type", "application/cloudevents+json"}},
          std::string(event)};
}

Request BatchRequest() {
  std::string events;
  for (std::size_t i = 0; i < kBatch; ++i) {
    events += i == 0 ? '[' : ',';
    events += kSmallEvent;
  }
  return {{{"Host", "127.0.0.1:8080"},
           {"Content-Type", "application/cloudevents-batch+json"}},
          events + "]"};
}

const DecodeOptions& Options() {
  static const DecodeOptions kOptions;
  return kOptions;
}

void MeasureDecoding(const char* name, Request request) {
  HttpDecoder decoder(Options());
  const HttpContent content = decoder.Decode(request.headers, request.body);
  if (std::holds_alternative<Error>(content.value)) {
    std::fprintf(stderr, "%s: %s\n", name,
                 std::get<Error>(content.value).message.c_str());
    std::exit(1);
  }
  Measure(name, [decoder = std::move(decoder),
                 request = std::move(request)]() mutable {
    HttpContent decoded = decoder.Decode(request.headers, request.body);
    benchmark::DoNotOptimize(decoded);
  });
}

void MeasureEncoding(const char* name, ContentMode mode) {
  const Request request = BinaryRequest();
  HttpDecoder decoder(Options());
  HttpContent content = decoder.Decode(request.headers, request.body);
  Measure(name, [event = std::get<Event>(content.value), mode,
                 lines = std::string(), buffer = std::string()]() mutable {
    lines.clear();
    benchmark::DoNotOptimize(EncodeHttp(mode, event, lines, buffer));
  });
}

void MeasureAll() {
  static_assert(kData.size() == 200);
  static_assert(kSmallEvent.size() == 200);
  MeasureDecoding("decode_binary", BinaryRequest());
  MeasureDecoding("decode_structured", StructuredRequest(kSmallEvent));
  MeasureDecoding("decode_batch_of_100", BatchRequest());
  MeasureEncoding("encode_binary", ContentMode::kBinary);
  MeasureEncoding("encode_structured", ContentMode::kStructured);
}

}  // namespace
}  // namespace cirro::bench

int main(int argc, char** argv) {
  cirro::bench::MeasureAll();
  return cirro::bench::Run(argc, argv);
}
