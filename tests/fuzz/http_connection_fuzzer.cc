// Bytes of a client, in arbitrary pieces, into a connection without a socket.
// However they are cut, the same events reach the sink and the same answers
// come out, each well formed. The first byte says how they are cut, the second
// how strict the decoding is and whether the client ends.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "support/http_connection.h"

namespace {

using namespace cirro;  // NOLINT(google-build-using-namespace): one file.

void Require(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// Keeps what came; replies, fails or is done, as the event's id says.
class RecordingSink final : public Sink {
 public:
  void Deliver(std::span<Delivery> batch) noexcept override {
    for (Delivery& delivery : batch) {
      if (const Malformed* const malformed = delivery.malformed()) {
        seen += "malformed " + malformed->error.message + "\n";
        delivery.Settle(
            {.kind = Settlement::Kind::kTerm, .error = malformed->error});
        continue;
      }
      const Event event = *delivery.event();
      seen += std::string(event.id()) + " " + std::string(event.data()) + "\n";
      const char last = event.id().back();
      if (last % 3 == 0 && delivery.facts.reply_capacity > 0) {
        delivery.Settle({.kind = Settlement::Kind::kAck, .replies = {event}});
      } else if (last % 3 == 1) {
        delivery.Settle({.kind = Settlement::Kind::kAck});
      } else {
        delivery.Settle({.kind = Settlement::Kind::kNak,
                         .error = Error{ErrorCode::kFunctionFailed, "x"}});
      }
    }
  }

  std::string seen;
};

struct Exchanged {
  std::string seen;
  std::string sent;
  std::vector<int> statuses;
};

std::string WithoutContinue(std::string text) {
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  for (;;) {
    const std::size_t at = text.find(kContinue);
    if (at == std::string::npos) return text;
    text.erase(at, kContinue.size());
  }
}

Exchanged Run(std::string_view bytes, std::uint8_t cut, std::uint8_t flags) {
  HttpOptions options;
  // Small, so that they are reached.
  options.line_limit = 256;
  options.header_limit = 2'048;
  options.max_headers = 24;
  options.body_limit = 4'096;
  options.max_pipelined = 4;
  options.max_unsent_bytes = 2'048;
  options.decode.strict = (flags & 1) != 0;
  RecordingSink sink;
  test::HttpConnectionRig rig(sink, std::move(options));

  std::uint32_t random = cut;
  while (!bytes.empty()) {
    random = random * 1'103'515'245 + 12'345;
    const std::size_t size =
        cut == 0 ? bytes.size()
                 : std::min<std::size_t>(bytes.size(),
                                         1 + (random >> 16) % (1U << cut % 12));
    rig.Receive(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  if ((flags & 2) != 0) {
    rig.PeerEnds();
    Require(rig.connection().finished(), "the end of the peer is the end");
  }
  Require(rig.host().open_requests == 0, "what is settled is answered");
  Require(rig.unread() == 0, "all is read");
  Exchanged result{sink.seen, WithoutContinue(rig.sent()),
                   test::StatusesIn(rig.sent())};
  rig.Destroy();
  Require(rig.host().unquiet == 0, "a connection that is gone is quiet");
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2,
                               size - 2);

  const Exchanged whole = Run(bytes, 0, data[1]);
  const Exchanged pieces = Run(bytes, data[0], data[1]);

  Require(whole.seen == pieces.seen, "cuts change no event");
  Require(whole.sent == pieces.sent, "cuts change no answer");
  // An answer to HEAD has a length and no body, and does not say to what it is.
  if (bytes.find("HEAD") != std::string_view::npos) return 0;
  for (const int status : whole.statuses) {
    Require(status >= 200 && status < 600, "each answer is well formed");
  }
  return 0;
}
