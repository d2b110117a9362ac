#include "letter_stream.h"

#include <nlohmann/json.hpp>

#include "raw_message.h"

namespace cirro::internal::nats {
namespace {

// 0 and empty where there is none.
std::uint64_t NumberIn(const nlohmann::json& object, const char* name) {
  if (!object.is_object()) return 0;
  const auto number = object.find(name);
  return number != object.end() && number->is_number_unsigned()
             ? number->get<std::uint64_t>()
             : 0;
}

std::string TextIn(const nlohmann::json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto text = object.find(name);
  return text != object.end() && text->is_string() ? text->get<std::string>()
                                                   : std::string();
}

}  // namespace

std::string PrefixOf(const JetStreamInletOptions& options) {
  if (!options.api_prefix.empty()) return options.api_prefix;
  return options.domain.empty() ? "$JS.API" : "$JS." + options.domain + ".API";
}

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

// What libnats has no call for.
Result<nlohmann::json> StreamCalls::Ask(const std::string& what,
                                        const nlohmann::json& question) {
  if (auto context = Context(); !context) return context.error();
  natsMsg* raw = nullptr;
  const natsStatus status = natsConnection_RequestString(
      &raw, link_.get(), (prefix_ + "." + what).c_str(),
      question.dump().c_str(), patience_.count());
  const NatsHandle<natsMsg> message(raw);
  if (status != NATS_OK) return CallFailed("JetStream", status, {});
  auto answer = nlohmann::json::parse(PayloadOf(raw), nullptr, false);
  if (answer.is_object()) return answer;
  return Error{ErrorCode::kUnavailable, what + ": the answer is no JSON"};
}

Result<std::string> StreamCalls::StreamOf(const std::string& subject) {
  const auto answer = Ask("STREAM.NAMES", {{"subject", subject}});
  if (!answer) return answer.error();
  const auto streams = answer->find("streams");
  if (streams != answer->end() && streams->is_array() && !streams->empty() &&
      streams->front().is_string()) {
    return streams->front().get<std::string>();
  }
  return Error{ErrorCode::kInvalidConfig,
               "subject: no stream keeps '" + subject + "'"};
}

Result<StreamCalls::State> StreamCalls::StateOf(const std::string& stream) {
  const auto context = Context();
  if (!context) return context.error();
  jsStreamInfo* raw = nullptr;
  jsErrCode code{};
  const natsStatus status =
      js_GetStreamInfo(&raw, *context, stream.c_str(), nullptr, &code);
  const NatsHandle<jsStreamInfo> info(raw);
  if (status == NATS_OK) {
    return State{info->State.FirstSeq, info->State.LastSeq};
  }
  if (code == JSStreamNotFoundErr) {
    return Error{ErrorCode::kInvalidConfig,
                 "stream: there is no stream '" + stream + "'"};
  }
  return CallFailed("stream '" + stream + "'", status, code);
}

Result<std::optional<StreamCalls::Found>> StreamCalls::Next(
    const std::string& stream, const std::string& filter,
    std::uint64_t sequence) {
  const auto answer =
      Ask("STREAM.MSG.GET." + stream,
          {{"seq", sequence}, {"next_by_subj", filter.empty() ? ">" : filter}});
  if (!answer) return answer.error();
  if (answer->contains("error")) {
    const nlohmann::json& error = answer->at("error");
    if (NumberIn(error, "err_code") == JSNoMessageFoundErr) {
      return std::optional<Found>();
    }
    return Error{ErrorCode::kRefused,
                 "stream '" + stream + "': " + TextIn(error, "description")};
  }
  const auto message = answer->find("message");
  if (message != answer->end()) {
    const std::uint64_t number = NumberIn(*message, "seq");
    const auto time = ParseTimestamp(TextIn(*message, "time"));
    if (number > 0 && time) return std::optional(Found{number, *time});
  }
  return Error{ErrorCode::kUnavailable,
               "stream '" + stream + "': the answer has no message"};
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
