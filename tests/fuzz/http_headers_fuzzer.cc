// Header lines, an empty line, a body; the first byte is the strictness. What
// is taken is an event that goes out and comes back, in strict, in each mode.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cirro/http/codec.h"

namespace {

using namespace cirro;  // NOLINT(google-build-using-namespace): one file.

const DecodeOptions kStrict{.strict = true};

void Require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

std::vector<HttpHeader> Split(std::string_view& text, std::string_view end) {
  std::vector<HttpHeader> headers;
  for (;;) {
    const std::size_t at = text.find(end);
    const std::string_view line = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size()
                                                    : at + end.size());
    if (line.empty()) return headers;
    const std::size_t colon = line.find(':');
    headers.push_back({line.substr(0, colon), colon == std::string_view::npos
                                                  ? std::string_view()
                                                  : line.substr(colon + 1)});
  }
}

HttpContent Decode(std::span<const HttpHeader> headers, std::string_view body,
                   const DecodeOptions& options) {
  HttpDecoder decoder(options);
  return decoder.Decode(headers, body);
}

Event ThereAndBack(ContentMode mode, const Event& event) {
  std::string lines;
  std::string buffer;
  const std::string_view body = EncodeHttp(mode, event, lines, buffer);
  for (const char c : lines) {
    Require(c == '\r' || c == '\n' || c == ' ' || c == '\t' ||
                static_cast<unsigned char>(c) > 0x20,
            "a header block has no control characters");
  }
  std::string_view left = lines;
  HttpContent back = Decode(Split(left, "\r\n"), body, kStrict);
  if (const auto* const error = std::get_if<Error>(&back.value)) {
    std::fprintf(stderr, "%s\n%s\n", lines.c_str(), error->message.c_str());
  }
  Require(back.forgiven == Leniency::kNone, "what we send needs no mercy");
  if (auto* const members =
          std::get_if<std::vector<Result<Event>>>(&back.value)) {
    Require(members->size() == 1 && members->front(), "a batch of one");
    return *members->front();
  }
  Require(std::holds_alternative<Event>(back.value), "what we send is taken");
  return std::get<Event>(back.value);
}

void Check(const Event& event) {
  Require(!event.id().empty() && !event.source().empty() &&
              !event.type().empty() && event.specversion() == "1.0",
          "an event has what is required");
  Require(ThereAndBack(ContentMode::kStructured, event) == event,
          "structured mode gives it back");
  Require(ThereAndBack(ContentMode::kBatch, event) == event,
          "batch mode gives it back");
  // Binary mode has no types, and no data of zero bytes.
  const Event binary = ThereAndBack(ContentMode::kBinary, event);
  Require(binary.attribute_count() == event.attribute_count() &&
              binary.data() == event.data(),
          "binary mode gives it back");
  for (std::size_t i = 0; i < event.attribute_count(); ++i) {
    const Attribute attribute = event.attribute_at(i);
    const auto back = binary.attribute(attribute.name);
    Require(back && back->text == attribute.text, "with each attribute");
  }
  Require(ThereAndBack(ContentMode::kBinary, binary) == binary,
          "and again the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0) return 0;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const DecodeOptions options{.strict = (text[0] & 1) != 0};
  text.remove_prefix(1);
  const std::vector<HttpHeader> headers = Split(text, "\n");

  const HttpContent content = Decode(headers, text, options);

  if (const auto* const event = std::get_if<Event>(&content.value)) {
    Check(*event);
  } else if (const auto* const members =
                 std::get_if<std::vector<Result<Event>>>(&content.value)) {
    for (const auto& member : *members) {
      if (member) Check(*member);
    }
  } else {
    const Error& error = std::get<Error>(content.value);
    Require(!error.message.empty(), "an error says what is wrong");
    Require(error.code == ErrorCode::kUnsupported ||
                error.code == ErrorCode::kInvalidEvent ||
                error.code == ErrorCode::kTooLarge,
            "an error is one of three");
  }
  Require(!options.strict || content.forgiven == Leniency::kNone,
          "strict forgives nothing");
  return 0;
}
