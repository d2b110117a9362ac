#pragma once

#include <librdkafka/rdkafka.h>

#include <condition_variable>
#include <cstdint>
#include <map>
#include <optional>
#include <thread>

#include "cirro/cloudevents/result.h"
#include "cirro/cloudevents/timestamp.h"
#include "cirro/dispatch/mutex.h"
#include "handles.h"
#include "mailbox.h"
#include "positions.h"

namespace cirro::internal::kafka {

/// Asks brokers what librdkafka asks by waiting, on a thread of its own: the
/// one that polls stays a member and settles while a broker is away. One
/// question at a time. All but the thread is the reader's alone.
class Asker {
 public:
  enum class About : std::uint8_t {
    kAssign,
    kSeek,
    kAnew,
    kRewind,
    kLag,
    kLink
  };

  struct Question {
    About about = About::kLink;
    PartitionList list{};  ///< Null of kLink, which asks whether one is there.
    bool committed = false;
    bool bounds = false;
    bool ends = false;
    std::optional<Timestamp> time{};  ///< Where it is in each.
    int tries = 1;                    ///< Of a second for each request.
  };
  struct Answer {
    std::uint64_t ticket = 0;
    About about = About::kLink;
    PartitionList list{};  ///< The question's, with what is committed.
    std::map<Positions::Key, Bounds> bounds{};
    std::map<Positions::Key, std::uint64_t> ends{};
    std::map<Positions::Key, std::uint64_t> times{};
    Result<void> result{};  ///< kUnavailable, kTimedOut: what is there is none.
  };

  /// Wakes `mailbox` when it has an answer. REQUIRES: both outlive *this.
  Asker(rd_kafka_t* handle, const Mailbox& mailbox);

  /// A question is open, or its answer not taken.
  [[nodiscard]] bool busy() const noexcept { return busy_; }
  /// The ticket that its answer will have. REQUIRES: !busy().
  std::uint64_t Ask(Question question) noexcept;
  /// Nothing: there is none yet.
  [[nodiscard]] std::optional<Answer> Take() noexcept;
  /// Answers no more questions, so that destroying it takes less.
  void Stop() noexcept { thread_.request_stop(); }

 private:
  void Run(const std::stop_token& stop) noexcept;
  [[nodiscard]] Result<void> Find(const Question& question, Answer& answer);

  rd_kafka_t* const handle_;
  const Mailbox& mailbox_;
  bool busy_ = false;          // The reader's.
  std::uint64_t tickets_ = 0;  // The reader's.

  Mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Question> question_ CIRRO_GUARDED_BY(mutex_);
  std::optional<Answer> answer_ CIRRO_GUARDED_BY(mutex_);

  std::jthread thread_;
};

}  // namespace cirro::internal::kafka
