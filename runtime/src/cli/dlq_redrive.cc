#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "answer.h"
#include "cirro/runtime/command.h"
#include "dlq.h"
#include "http_target.h"
#include "interrupt.h"
#include "letters.h"
#include "pace.h"
#include "say.h"

namespace cirro::cli {
namespace {

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

// By HTTP, to whoever is named.
class ToUrl final : public Target {
 public:
  explicit ToUrl(std::unique_ptr<HttpTarget> to) : to_(std::move(to)) {}

  Sent Send(const DeadLetter& letter) override {
    return to_->Send({.content = letter.content,
                      .original = letter.original.get(),
                      .function = letter.facts.function});
  }

 private:
  const std::unique_ptr<HttpTarget> to_;
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
      return std::ferror(stdout) == 0;
    }
    // Until now a signal ends nothing but a look at what there is.
    EndOnSignals();
    pace_.Wait(&IsInterrupted);
    if (IsInterrupted()) return false;
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
  int Finish(int walked) const {
    std::string line = options_.dry_run ? "would redrive " : "redriven ";
    line += std::to_string(done_);
    if (refused_ > 0) line += ", not taken " + std::to_string(refused_);
    PrintLine(stderr, line);
    return code_ != kOk ? code_ : ExitOfInterrupted(walked);
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

  void Progress(const KeptLetter& kept) {
    if (!each_second_.Is()) return;
    PrintLine(stderr,
              "redriven " + std::to_string(done_) + ", last letter " + kept.id);
  }

  const DlqOptions& options_;
  Target& target_;
  LetterBox& box_;
  std::uint64_t done_ = 0;
  std::uint64_t refused_ = 0;
  int code_ = kOk;
  Pace pace_{options_.rate};
  EachSecond each_second_;
};

Result<std::unique_ptr<Target>> MakeTarget(const DlqOptions& options) {
  if (options.to.empty()) {
    auto to = OpenLetterReturn(FlagsOf(options.config, options.settings));
    if (!to) return to.error();
    return std::unique_ptr<Target>(std::make_unique<Back>(*std::move(to)));
  }
  auto to = HttpTarget::Make(options.to, options.timeout_seconds);
  if (!to) return to.error();
  return std::unique_ptr<Target>(std::make_unique<ToUrl>(*std::move(to)));
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
