#include "nats_letter_box.h"

#include <charconv>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/dispatch/letter_index.h"
#include "cirro/nats/codec.h"
#include "letter_stream.h"
#include "options_check.h"
#include "raw_message.h"

namespace cirro::internal::nats {
namespace {

// Nothing of the outlet's options names another.
constexpr const char* kPrefix = "$JS.API";

std::optional<std::uint64_t> SequenceOf(std::string_view id) noexcept {
  std::uint64_t sequence = 0;
  const char* const end = id.data() + id.size();
  const auto read = std::from_chars(id.data(), end, sequence);
  if (read.ec != std::errc() || read.ptr != end || sequence == 0) return {};
  return sequence;
}

struct EndSubscription {
  void operator()(natsSubscription* it) const noexcept { Link::End(it); }
};

class Box final : public LetterBox {
 public:
  Box(const NatsOutletOptions& options, const Clock& clock, Observer& observer)
      : options_(options),
        observer_(observer),
        calls_(options.connection, options.name, kPrefix, options.timeout,
               clock, observer) {}

  Result<void> Walk(const LetterFilter& filter, const Visit& visit) override {
    LetterIndex index;
    if (auto filled = Fill(filter, index); !filled) return filled;
    return index.Walk([this](std::string_view id) { return Find(id); }, visit);
  }

  Result<std::optional<KeptLetter>> Find(std::string_view id) override {
    const auto sequence = SequenceOf(id);
    if (!sequence) return std::optional<KeptLetter>();
    const auto message = Get(*sequence);
    if (!message) return message.error();
    if (*message == nullptr) return std::optional<KeptLetter>();
    return LetterOf(message->get(), *sequence);
  }

  // Removed it is not met again, and a stream has no other mark.
  Result<void> MarkRedriven(std::string_view id) override {
    const auto removed = Remove(id);
    if (!removed) return removed.error();
    return {};
  }

  Result<bool> Remove(std::string_view id) override {
    const auto sequence = SequenceOf(id);
    if (!sequence) return false;
    // Not what lies under another subject of the stream.
    const auto message = Get(*sequence);
    if (!message) return message.error();
    if (*message == nullptr) return false;
    const auto context = calls_.Context();
    if (!context) return context.error();
    jsErrCode code{};
    const natsStatus status =
        js_DeleteMsg(*context, stream_.c_str(), *sequence, nullptr, &code);
    if (status == NATS_OK) return true;
    if (status == NATS_NOT_FOUND || code == JSNoMessageFoundErr) return false;
    return CallFailed("message " + std::string(id) + " of stream '" + stream_ +
                          "' cannot be removed",
                      status, code);
  }

 private:
  Result<void> FindStream() {
    if (!stream_.empty()) return {};
    auto stream = calls_.StreamOf(options_.subject);
    if (!stream) return std::move(stream).error();
    stream_ = *std::move(stream);
    return {};
  }

  // Null where there is none under the subject.
  Result<NatsHandle<natsMsg>> Get(std::uint64_t sequence) {
    if (auto found = FindStream(); !found) return found.error();
    auto message = calls_.Get(stream_, sequence);
    if (message && *message != nullptr &&
        natsMsg_GetSubject(message->get()) != options_.subject) {
      return NatsHandle<natsMsg>();
    }
    return message;
  }

  // Nothing where it is no letter.
  std::optional<KeptLetter> LetterOf(natsMsg* message, std::uint64_t sequence) {
    ReadHeaders(message, headers_);
    auto letter = DecodeNatsLetter(headers_, PayloadOf(message), decode_);
    if (!letter) {
      observer_.Noted(LogLevel::kWarning, options_.name,
                      "message " + std::to_string(sequence) +
                          " is passed over: " + letter.error().message);
      return std::nullopt;
    }
    if (!*letter) return std::nullopt;
    return KeptLetter{std::to_string(sequence), **std::move(letter), false};
  }

  // All up to the newest message that there is now.
  Result<void> Fill(const LetterFilter& filter, LetterIndex& index) {
    if (auto found = FindStream(); !found) return found;
    const auto context = calls_.Context();
    if (!context) return context.error();
    // A server of 2.9 knows no last message of a subject whose last one was
    // removed, so it is not asked for that.
    const auto state = calls_.StateOf(stream_);
    if (!state) return state.error();
    const std::uint64_t last = state->last;

    jsSubOptions wanted;
    static_cast<void>(jsSubOptions_Init(&wanted));
    wanted.Stream = stream_.c_str();
    wanted.Ordered = true;
    natsSubscription* subscription = nullptr;
    jsErrCode code{};
    natsStatus status =
        js_SubscribeSync(&subscription, *context, options_.subject.c_str(),
                         nullptr, &wanted, &code);
    if (status != NATS_OK) return CallFailed("read the stream", status, code);
    const std::unique_ptr<natsSubscription, EndSubscription> ends(
        calls_.Keep(NatsHandle<natsSubscription>(subscription)));
    jsConsumerInfo* consumer = nullptr;
    status = natsSubscription_GetConsumerInfo(&consumer, subscription, nullptr,
                                              &code);
    const NatsHandle<jsConsumerInfo> about(consumer);
    if (status != NATS_OK) return CallFailed("read the stream", status, code);
    if (about->NumPending == 0 && about->Delivered.Consumer == 0) return {};
    for (std::uint64_t sequence = 0; sequence < last;) {
      natsMsg* next = nullptr;
      status = natsSubscription_NextMsg(&next, subscription, calls_.patience());
      const NatsHandle<natsMsg> message(next);
      if (status != NATS_OK) return CallFailed("read the stream", status, {});
      jsMsgMetaData* facts = nullptr;
      status = natsMsg_GetMetaData(&facts, next);
      if (status != NATS_OK) return CallFailed("read the stream", status, {});
      sequence = facts->Sequence.Stream;
      const bool ended = facts->NumPending == 0;
      jsMsgMetaData_Destroy(facts);
      if (sequence > last) break;
      auto kept = LetterOf(next, sequence);
      if (kept && Fits(filter, *kept)) {
        const std::size_t bytes = 2 * PayloadOf(next).size() + 4'096;
        if (auto added = index.Add(*std::move(kept), bytes); !added) {
          return added;
        }
      }
      // Those that were behind it were removed meanwhile.
      if (ended) break;
    }
    return {};
  }

  const NatsOutletOptions options_;
  Observer& observer_;
  StreamCalls calls_;
  const DecodeOptions decode_{};
  std::string stream_;
  std::vector<NatsHeader> headers_;
};

}  // namespace

Result<std::unique_ptr<LetterBox>> OpenNatsBox(const NatsOutletOptions& options,
                                               const Clock& clock,
                                               Observer& observer) {
  if (auto checked = Check(options); !checked) return checked.error();
  if (!options.jetstream) {
    return Error{ErrorCode::kUnsupported,
                 "jetstream: core NATS keeps nothing that could be listed"};
  }
  return std::unique_ptr<LetterBox>(
      std::make_unique<Box>(options, clock, observer));
}

}  // namespace cirro::internal::nats
