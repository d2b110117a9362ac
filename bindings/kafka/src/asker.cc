#include "asker.h"

#include <chrono>
#include <string>
#include <utility>

namespace cirro::internal::kafka {
namespace {

using std::chrono::milliseconds;

// One request. Who stops waits as long at most.
constexpr milliseconds kPatience{1'000};

}  // namespace

Asker::Asker(rd_kafka_t* handle, const Mailbox& mailbox)
    : handle_(handle),
      mailbox_(mailbox),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

std::uint64_t Asker::Ask(Question question) noexcept {
  busy_ = true;
  const MutexLock lock(mutex_);
  question_ = std::move(question);
  changed_.notify_all();
  return ++tickets_;
}

std::optional<Asker::Answer> Asker::Take() noexcept {
  if (!busy_) return std::nullopt;
  const MutexLock lock(mutex_);
  if (!answer_) return std::nullopt;
  busy_ = false;
  auto answer = std::exchange(answer_, std::nullopt);
  answer->ticket = tickets_;
  return answer;
}

void Asker::Run(const std::stop_token& stop) noexcept {
  BlockSignals();
  for (;;) {
    std::optional<Question> question;
    {
      const MutexLock lock(mutex_);
      if (!changed_.wait(mutex_, stop, [this]() CIRRO_REQUIRES(mutex_) {
            return question_.has_value();
          })) {
        return;
      }
      question = std::exchange(question_, std::nullopt);
    }
    Answer answer{.about = question->about};
    for (int tried = 0; tried < question->tries; ++tried) {
      answer.result = Find(*question, answer);
      if (answer.result || stop.stop_requested()) break;
    }
    answer.list = std::move(question->list);
    {
      const MutexLock lock(mutex_);
      answer_ = std::move(answer);
    }
    mailbox_.Wake();
  }
}

Result<void> Asker::Find(const Question& question, Answer& answer) {
  constexpr int kMs = static_cast<int>(kPatience.count());
  if (!question.list) {
    const rd_kafka_metadata_t* metadata = nullptr;
    const auto code =
        rd_kafka_metadata(handle_, 0, nullptr, &metadata, kMs / 2);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return Error{ErrorCode::kUnavailable, TextOf(code)};
    }
    rd_kafka_metadata_destroy(metadata);
    return {};
  }
  if (question.committed) {
    const auto code = rd_kafka_committed(handle_, question.list.get(), kMs);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return Error{ErrorCode::kUnavailable,
                   "the committed offsets are not known: " + TextOf(code)};
    }
    for (int i = 0; i < question.list->cnt; ++i) {
      const auto& element = question.list->elems[i];
      if (element.err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      return Error{ErrorCode::kUnavailable,
                   "the committed offset of " + std::string(element.topic) +
                       " is not known: " + TextOf(element.err)};
    }
  }
  const Positions positions(handle_, *question.list, kPatience);
  if (question.bounds) {
    auto bounds = positions.AskBounds();
    if (!bounds) return std::move(bounds).error();
    answer.bounds = *std::move(bounds);
  }
  if (question.ends) {
    auto ends = positions.AskEnds();
    if (!ends) return std::move(ends).error();
    answer.ends = *std::move(ends);
  }
  if (question.time) {
    auto times = positions.AskTime(*question.time);
    if (!times) return std::move(times).error();
    answer.times = *std::move(times);
  }
  return {};
}

}  // namespace cirro::internal::kafka
