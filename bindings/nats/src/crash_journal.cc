#include "crash_journal.h"

#include <charconv>
#include <string_view>
#include <utility>

#include "raw_message.h"

namespace cirro::internal::nats {
namespace {

constexpr std::int64_t kPatienceMs = 2'000;
constexpr std::int64_t kWeekNs = 7LL * 24 * 3600 * 1'000'000'000;

int CountIn(std::string_view text) {
  int count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count < 0 ? 0 : count;
}

}  // namespace

CrashJournal::CrashJournal(const JetStreamInletOptions& options,
                           std::string api_prefix)
    : options_(options), api_prefix_(std::move(api_prefix)) {}

// With the time: a stream that is made anew counts from 1 again.
std::string CrashJournal::SubjectOf(const AckReply& message) const {
  return "cirro.crashes." + options_.stream + "." + options_.durable + "." +
         std::to_string(message.sequence) + "-" +
         std::to_string(message.stored_at);
}

Result<void> CrashJournal::MakeStream(jsCtx* js) const {
  const std::string subject = "cirro.crashes.>";
  const char* subjects[] = {subject.c_str()};
  jsStreamConfig config;
  static_cast<void>(jsStreamConfig_Init(&config));
  config.Name = options_.crash_stream.c_str();
  config.Description = "Cirro: messages that may have killed a process";
  config.Subjects = subjects;
  config.SubjectsLen = 1;
  config.MaxMsgsPerSubject = 1;
  config.MaxAge = kWeekNs;
  config.Storage = js_FileStorage;
  config.Replicas = options_.replicas > 0 ? options_.replicas : 1;
  jsErrCode code{};
  const natsStatus status = js_AddStream(nullptr, js, &config, nullptr, &code);
  if (status == NATS_OK) return {};
  return Error{
      ErrorCode::kUnavailable,
      Explain("crash_stream '" + options_.crash_stream + "' cannot be made",
              status)};
}

Result<int> CrashJournal::Begin(natsConnection* connection,
                                const AckReply& message) {
  jsOptions js_options;
  static_cast<void>(jsOptions_Init(&js_options));
  js_options.Prefix = api_prefix_.c_str();
  js_options.Wait = kPatienceMs;
  jsCtx* raw_js = nullptr;
  natsStatus status =
      natsConnection_JetStream(&raw_js, connection, &js_options);
  if (status != NATS_OK) {
    return Error{ErrorCode::kUnavailable, Explain("JetStream", status)};
  }
  const NatsHandle<jsCtx> js(raw_js);

  const std::string subject = SubjectOf(message);
  int before = 0;
  natsMsg* raw = nullptr;
  jsErrCode code{};
  status = js_GetLastMsg(&raw, js.get(), options_.crash_stream.c_str(),
                         subject.c_str(), nullptr, &code);
  if (status == NATS_OK) {
    const NatsHandle<natsMsg> last(raw);
    before = CountIn(PayloadOf(last.get()));
  } else if (code == JSStreamNotFoundErr) {
    if (auto made = MakeStream(js.get()); !made) return made.error();
  } else if (status != NATS_NOT_FOUND) {
    return Error{
        ErrorCode::kUnavailable,
        Explain("crash_stream '" + options_.crash_stream + "'", status)};
  }

  const std::string now = std::to_string(before + 1);
  jsPubAck* ack = nullptr;
  status = js_Publish(&ack, js.get(), subject.c_str(), now.data(),
                      static_cast<int>(now.size()), nullptr, &code);
  jsPubAck_Destroy(ack);
  if (status != NATS_OK) {
    return Error{
        ErrorCode::kUnavailable,
        Explain("crash_stream '" + options_.crash_stream + "'", status)};
  }
  return before;
}

void CrashJournal::End(natsConnection* connection,
                       const AckReply& message) noexcept {
  const std::string request = R"({"filter":")" + SubjectOf(message) + "\"}";
  const std::string subject =
      api_prefix_ + ".STREAM.PURGE." + options_.crash_stream;
  // What is not purged is gone in a week.
  static_cast<void>(natsConnection_Publish(connection, subject.c_str(),
                                           request.data(),
                                           static_cast<int>(request.size())));
}

}  // namespace cirro::internal::nats
