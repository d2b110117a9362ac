#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>
#include <variant>

#include "answer.h"
#include "cirro/cloudevents/media_type.h"
#include "cirro/http/codec.h"
#include "cirro/runtime/command.h"
#include "dlq.h"
#include "letters.h"
#include "say.h"

namespace cirro::cli {
namespace {

using SteadyClock = std::chrono::steady_clock;

// As the HTTP binding encodes an attribute. Source: CloudEvents HTTP Protocol
// Binding v1.0.2, section 3.1.3.2.
std::string Encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7F && c != '"' && c != '%') {
      encoded += c;
    } else {
      encoded += {'%', kHex[byte >> 4], kHex[byte & 0xF]};
    }
  }
  return encoded;
}

// Of a message that is no event only what says what its body is: the rest may
// be credentials that were meant for another.
bool SaysWhatItIs(const std::string& name, const std::string& value) {
  const bool goes = EqualsIgnoreCase(name, "content-type") ||
                    EqualsIgnoreCase(name.substr(0, 3), "ce-");
  const auto breaks = [](const std::string& text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) !=
           std::string::npos;
  };
  return goes && !breaks(name) && !breaks(value);
}

HttpPost RequestOf(const DlqOptions& options, const DeadLetter& letter) {
  HttpPost request{
      .url = options.to,
      .timeout = std::chrono::milliseconds(
          static_cast<std::int64_t>(options.timeout_seconds * 1000))};
  if (const auto* event = std::get_if<Event>(&letter.content)) {
    const bool structured =
        letter.original != nullptr && letter.original->bytes.has_value();
    std::string buffer;
    request.body =
        EncodeHttp(structured ? ContentMode::kStructured : ContentMode::kBinary,
                   *event, request.header_lines, buffer);
  } else {
    const auto& malformed = std::get<Malformed>(letter.content);
    for (const auto& [name, value] : malformed.headers) {
      if (SaysWhatItIs(name, value)) {
        request.header_lines += name + ": " + value + "\r\n";
      }
    }
    request.body = malformed.bytes;
  }
  if (!letter.facts.function.empty()) {
    request.header_lines += std::string(kRedriveHeader) + ": " +
                            Encoded(letter.facts.function) + "\r\n";
  }
  return request;
}

class Redrive {
 public:
  Redrive(const DlqOptions& options, const HttpClientApi& client,
          LetterBox& box)
      : options_(options), client_(client), box_(box) {}

  Result<bool> Visit(const KeptLetter& kept) {
    if (options_.dry_run) {
      PrintLine(stdout,
                options_.format == "json" ? SummaryJson(kept) : TableRow(kept));
      ++done_;
      return true;
    }
    Pace();
    const auto answer = client_.post(RequestOf(options_, kept.letter));
    const int code = answer ? ExitOf(answer->status) : ExitOf(answer.error());
    if (answer) PrintBody(*answer);
    if (code != kOk) return Refused(kept, code, answer);
    // Not before the answer: killed here, this one letter is sent twice.
    if (auto marked = box_.MarkRedriven(kept.id); !marked) {
      return marked.error();
    }
    ++done_;
    Progress(kept);
    return true;
  }

  // Says what was done; the exit code.
  int Finish(int walked) {
    std::string line = options_.dry_run ? "would redrive " : "redriven ";
    line += std::to_string(done_);
    if (refused_ > 0) line += ", not taken " + std::to_string(refused_);
    PrintLine(stderr, line);
    return code_ != kOk ? code_ : walked;
  }

 private:
  Result<bool> Refused(const KeptLetter& kept, int code,
                       const Result<HttpAnswer>& answer) {
    ++refused_;
    if (code_ == kOk) code_ = code;
    PrintLine(stderr, "cirro: letter " + kept.id + " (" +
                          SplitError(kept, answer) + ")");
    // A receiver that is away or overloaded takes no other one either.
    return options_.keep_going && code == kFailed;
  }

  static std::string SplitError(const KeptLetter& kept,
                                const Result<HttpAnswer>& answer) {
    const std::string& position = kept.letter.facts.position;
    return (position.empty() ? "" : position + "; ") +
           (answer ? std::to_string(answer->status) : answer.error().message);
  }

  void Pace() {
    if (options_.rate <= 0) return;
    std::this_thread::sleep_until(next_);
    const auto now = SteadyClock::now();
    const auto gap = std::chrono::duration_cast<SteadyClock::duration>(
        std::chrono::duration<double>(1 / options_.rate));
    next_ = std::max(next_, now - gap) + gap;
  }

  void Progress(const KeptLetter& kept) {
    const auto now = SteadyClock::now();
    if (now - said_ < std::chrono::seconds(1)) return;
    said_ = now;
    PrintLine(stderr,
              "redriven " + std::to_string(done_) + ", last letter " + kept.id);
  }

  const DlqOptions& options_;
  const HttpClientApi& client_;
  LetterBox& box_;
  std::uint64_t done_ = 0;
  std::uint64_t refused_ = 0;
  int code_ = kOk;
  SteadyClock::time_point next_ = SteadyClock::now();
  SteadyClock::time_point said_ = SteadyClock::now();
};

}  // namespace

int DlqRedrive(const DlqOptions& options) {
  int code = kOk;
  const auto box = OpenBox(options, code);
  if (box == nullptr) return code;
  const auto client = LoadHttpClient();
  if (!client) return Fail(kBadConfig, client.error().message);
  Redrive redrive(options, **client, *box);
  const int walked = WalkLetters(options, *box, [&](const KeptLetter& kept) {
    return redrive.Visit(kept);
  });
  return redrive.Finish(walked);
}

}  // namespace cirro::cli
