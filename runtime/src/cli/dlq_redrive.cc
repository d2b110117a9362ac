#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
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

// How a send ended: the exit code, and why it is not 0.
struct Sent {
  int code = kOk;
  std::string why{};
};

// Where letters are sent to.
class Target {
 public:
  Target() = default;
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  virtual ~Target() = default;
  // Waits for the answer.
  virtual Sent Send(const DeadLetter& letter) = 0;
};

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

// By HTTP, to whoever is named.
class ToUrl final : public Target {
 public:
  ToUrl(const DlqOptions& options, const HttpClientApi& client)
      : options_(options), client_(client) {}

  Sent Send(const DeadLetter& letter) override {
    const auto answer = client_.post(RequestOf(options_, letter));
    if (!answer) return {ExitOf(answer.error()), answer.error().message};
    PrintBody(*answer);
    return {ExitOf(answer->status), std::to_string(answer->status)};
  }

 private:
  const DlqOptions& options_;
  const HttpClientApi& client_;
};

// To where it came from.
class Back final : public Target {
 public:
  explicit Back(std::unique_ptr<LetterReturn> to) : to_(std::move(to)) {}

  Sent Send(const DeadLetter& letter) override {
    const auto sent = to_->Return(letter);
    if (sent) return {};
    // A letter of another source: what is behind it may be of ours.
    const bool other = sent.error().code == ErrorCode::kInvalidConfig;
    return {other ? kFailed : ExitOf(sent.error()), sent.error().message};
  }

 private:
  const std::unique_ptr<LetterReturn> to_;
};

class Redrive {
 public:
  Redrive(const DlqOptions& options, Target& target, LetterBox& box)
      : options_(options), target_(target), box_(box) {}

  Result<bool> Visit(const KeptLetter& kept) {
    if (options_.dry_run) {
      PrintLine(stdout,
                options_.format == "json" ? SummaryJson(kept) : TableRow(kept));
      ++done_;
      return true;
    }
    Pace();
    const Sent sent = target_.Send(kept.letter);
    if (sent.code != kOk) return Refused(kept, sent);
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
  Result<bool> Refused(const KeptLetter& kept, const Sent& sent) {
    ++refused_;
    if (code_ == kOk) code_ = sent.code;
    const std::string& position = kept.letter.facts.position;
    PrintLine(stderr, "cirro: letter " + kept.id + " (" +
                          (position.empty() ? "" : position + "; ") + sent.why +
                          ")");
    // A receiver that is away or overloaded takes no other one either.
    return options_.keep_going && sent.code == kFailed;
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
  Target& target_;
  LetterBox& box_;
  std::uint64_t done_ = 0;
  std::uint64_t refused_ = 0;
  int code_ = kOk;
  SteadyClock::time_point next_ = SteadyClock::now();
  SteadyClock::time_point said_ = SteadyClock::now();
};

Result<std::unique_ptr<Target>> MakeTarget(const DlqOptions& options) {
  if (options.to.empty()) {
    auto to = OpenLetterReturn(FlagsOf(options));
    if (!to) return to.error();
    return std::unique_ptr<Target>(std::make_unique<Back>(*std::move(to)));
  }
  const auto client = LoadHttpClient();
  if (!client) return client.error();
  return std::unique_ptr<Target>(std::make_unique<ToUrl>(options, **client));
}

}  // namespace

int DlqRedrive(const DlqOptions& options) {
  int code = kOk;
  const auto box = OpenBox(options, code);
  if (box == nullptr) return code;
  const auto target = MakeTarget(options);
  if (!target) return Fail(kBadConfig, target.error().message);
  Redrive redrive(options, **target, *box);
  const int walked = WalkLetters(options, *box, [&](const KeptLetter& kept) {
    return redrive.Visit(kept);
  });
  return redrive.Finish(walked);
}

}  // namespace cirro::cli
