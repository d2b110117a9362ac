#include "letter_stream.h"

#include <nlohmann/json.hpp>

#include "raw_message.h"

namespace cirro::internal::nats {

Error CallFailed(const std::string& what, natsStatus status, jsErrCode code) {
  return {code != 0 ? ErrorCode::kRefused : ErrorCode::kUnavailable,
          Explain(what, status)};
}

Result<jsCtx*> StreamCalls::Context() {
  if (!opened_) {
    if (auto opened = link_.Open(); !opened) return opened.error();
    opened_ = true;
  }
  const TimePoint until = std::chrono::steady_clock::now() + patience_;
  if (!link_.WaitConnected({}, until)) {
    if (auto refused = link_.Refused(); !refused) return refused.error();
    return Error{ErrorCode::kUnavailable,
                 "connection: no server answers within " +
                     std::to_string(patience_.count()) + " ms"};
  }
  if (context_) return context_.get();
  jsOptions options;
  static_cast<void>(jsOptions_Init(&options));
  options.Prefix = prefix_.c_str();
  options.Wait = patience_.count();
  jsCtx* raw = nullptr;
  const natsStatus status =
      natsConnection_JetStream(&raw, link_.get(), &options);
  context_.reset(raw);
  if (status != NATS_OK) return CallFailed("JetStream", status, {});
  return context_.get();
}

Result<std::string> StreamCalls::StreamOf(const std::string& subject) {
  if (auto context = Context(); !context) return context.error();
  const nlohmann::json question{{"subject", subject}};
  natsMsg* raw = nullptr;
  const natsStatus status = natsConnection_RequestString(
      &raw, link_.get(), (prefix_ + ".STREAM.NAMES").c_str(),
      question.dump().c_str(), patience_.count());
  const NatsHandle<natsMsg> message(raw);
  if (status != NATS_OK) return CallFailed("JetStream", status, {});
  const auto answer = nlohmann::json::parse(PayloadOf(raw), nullptr, false);
  const auto streams =
      answer.is_object() ? answer.find("streams") : answer.end();
  if (answer.is_object() && streams != answer.end() && streams->is_array() &&
      !streams->empty() && streams->front().is_string()) {
    return streams->front().get<std::string>();
  }
  return Error{ErrorCode::kInvalidConfig,
               "subject: no stream keeps '" + subject + "'"};
}

Result<NatsHandle<natsMsg>> StreamCalls::Get(const std::string& stream,
                                             std::uint64_t sequence) {
  const auto context = Context();
  if (!context) return context.error();
  natsMsg* raw = nullptr;
  jsErrCode code{};
  const natsStatus status =
      js_GetMsg(&raw, *context, stream.c_str(), sequence, nullptr, &code);
  NatsHandle<natsMsg> message(raw);
  if (status == NATS_NOT_FOUND || code == JSNoMessageFoundErr) {
    return NatsHandle<natsMsg>();
  }
  if (status != NATS_OK) return CallFailed("get a message", status, code);
  return message;
}

}  // namespace cirro::internal::nats
