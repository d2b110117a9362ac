#include "nats_letter_return.h"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "cirro/nats/codec.h"
#include "letter_stream.h"
#include "options_check.h"

namespace cirro::internal::nats {
namespace {

constexpr std::chrono::milliseconds kPatience{5'000};

bool IsPlain(const std::string& subject) noexcept {
  return !subject.empty() && subject.find_first_of("*>") == std::string::npos;
}

class NatsLetterReturn final : public LetterReturn {
 public:
  NatsLetterReturn(const JetStreamInletOptions& options, const Clock& clock,
                   Observer& observer)
      : options_(options),
        calls_(options.connection, options.name, PrefixOf(options), kPatience,
               clock, observer) {}

  Result<void> Return(const DeadLetter& letter) override {
    const auto context = calls_.Context();
    if (!context) return context.error();
    const auto subject = SubjectOf(letter.facts.position);
    if (!subject) return subject.error();
    MessageHeaders headers;
    std::string buffer;
    const std::string_view payload = EncodeNatsReturn(letter, headers, buffer);
    // Killed before it was marked, it is sent again and kept once.
    headers.emplace_back("Nats-Msg-Id",
                         "cirro-redrive " + NatsMessageId(letter));
    headers.emplace_back("Nats-Expected-Stream", options_.stream);

    natsMsg* raw = nullptr;
    natsStatus status =
        natsMsg_Create(&raw, subject->c_str(), nullptr, payload.data(),
                       static_cast<int>(payload.size()));
    const NatsHandle<natsMsg> message(raw);
    for (const auto& [name, value] : headers) {
      if (status != NATS_OK) break;
      status = natsMsgHeader_Add(raw, name.c_str(), value.c_str());
    }
    jsErrCode code{};
    if (status == NATS_OK) {
      status = js_PublishMsg(nullptr, *context, raw, nullptr, &code);
    }
    if (status == NATS_OK) return {};
    return Error{CodeOf(status, code),
                 Explain("publish to '" + *subject + "'", status)};
  }

 private:
  static ErrorCode CodeOf(natsStatus status, jsErrCode code) noexcept {
    // Then libnats says besides that JetStream is off.
    if (status == NATS_NO_RESPONDERS) return ErrorCode::kUnroutable;
    if (code != 0) return ErrorCode::kRefused;
    switch (status) {
      case NATS_MAX_PAYLOAD:
        return ErrorCode::kTooLarge;
      case NATS_TIMEOUT:
        return ErrorCode::kTimedOut;
      default:
        return ErrorCode::kUnavailable;
    }
  }

  // A letter says its stream and sequence, and not its subject.
  Result<std::string> SubjectOf(const std::string& position) {
    const LetterPosition at = SplitPosition(position);
    if (at.number <= 0 || !at.stream.starts_with(options_.stream + "/")) {
      return Error{ErrorCode::kInvalidConfig, "stream: position '" + position +
                                                  "' is not in '" +
                                                  options_.stream + "'"};
    }
    if (IsPlain(options_.filter)) return options_.filter;
    const auto message =
        calls_.Get(options_.stream, static_cast<std::uint64_t>(at.number));
    if (!message) return message.error();
    if (*message != nullptr) {
      return std::string(natsMsg_GetSubject(message->get()));
    }
    return Error{ErrorCode::kInvalidConfig,
                 "filter: '" + options_.filter +
                     "' names no one subject, and the message of " + position +
                     ", which had it, is no longer in the stream: --set "
                     "inlet." +
                     options_.name + ".filter=SUBJECT"};
  }

  const JetStreamInletOptions options_;
  StreamCalls calls_;
};

}  // namespace

Result<std::unique_ptr<LetterReturn>> OpenNatsReturn(
    const JetStreamInletOptions& options, const Clock& clock,
    Observer& observer) {
  if (auto checked = Check(options); !checked) return checked.error();
  return std::unique_ptr<LetterReturn>(
      std::make_unique<NatsLetterReturn>(options, clock, observer));
}

}  // namespace cirro::internal::nats
