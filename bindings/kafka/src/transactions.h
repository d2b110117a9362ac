#pragma once

#include <librdkafka/rdkafka.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/dead_letter.h"
#include "cirro/dispatch/inlet.h"
#include "cirro/dispatch/mutex.h"
#include "cirro/dispatch/settlement.h"
#include "cirro/kafka/inlet_options.h"
#include "cirro/kafka/outlet_options.h"
#include "handles.h"
#include "produce.h"
#include "topic_bound.h"
#include "topic_refusals.h"

namespace cirro::internal::kafka {

/// The transactional producer of an inlet that is exactly once, and the thread
/// on which its calls, which block, are made: one transaction at a time.
class Transactions {
 public:
  /// Offsets and what is sent with them, together or not at all.
  struct Batch {
    PartitionList offsets{};
    GroupMetadata member{};
    std::vector<std::unique_ptr<Settlement>> outputs{};
  };
  enum class End : std::uint8_t {
    kCommitted,
    kAborted,  ///< Nothing of it was done: to be read again from the offsets.
    kFenced,   ///< Another has the transactional id: nothing more is done.
    kRefused,  ///< Of a setting, which `why` names: nothing more is done.
  };
  struct Ended {
    End end = End::kAborted;
    std::string why{};
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  };

  /// Fails with kInvalidConfig. REQUIRES: `voice` and `clock` outlive it.
  [[nodiscard]] static Result<std::unique_ptr<Transactions>> Make(
      const KafkaInletOptions& options, const Voice& voice, const Clock& clock);
  ~Transactions();
  Transactions(const Transactions&) = delete;
  Transactions& operator=(const Transactions&) = delete;

  /// Where outputs and letters go, by their index. REQUIRES: before Start.
  void Join(std::vector<KafkaOutletOptions> outlets,
            std::vector<KafkaOutletOptions> places);
  /// As Transactional's.
  [[nodiscard]] Result<void> CanSend(std::uint32_t outlet,
                                     const Event& event) const noexcept;
  [[nodiscard]] Result<void> CanKeep(std::uint32_t place,
                                     const DeadLetter& letter) const noexcept;
  /// Wakes `descriptor`, an eventfd, whenever a batch ended.
  [[nodiscard]] Result<void> Start(int descriptor);

  /// Waits for the call of librdkafka that runs.
  void Stop() noexcept;

  /// REQUIRES: the one before was taken.
  void Submit(Batch batch) noexcept;
  /// How the batch ended; nothing: it has not, or there is none.
  [[nodiscard]] std::optional<Ended> Take() noexcept;
  [[nodiscard]] const std::string& id() const noexcept { return id_; }

 private:
  struct Place {
    Place(KafkaOutletOptions its_options, std::size_t most_bytes)
        : options(std::move(its_options)), bound(most_bytes) {}

    const KafkaOutletOptions options;
    Topic topic{};
    TopicBound bound;
    TopicRefusals refusals{};
  };
  // What a record has as its opaque.
  struct Written : Wanted {
    Place* place = nullptr;
    std::size_t bytes = 0;
    std::uint32_t group = 0;
    RecordDigest digest{};
    Transactions* by = nullptr;
  };

  Transactions(const Voice& voice, const Clock& clock, std::string id,
               Properties properties, std::size_t most_bytes);
  void Learn(const Written& written, rd_kafka_resp_err_t code);
  static void OnReport(rd_kafka_t* handle, const rd_kafka_message_t* message,
                       void* opaque) noexcept;

  void Run(const std::stop_token& stop) noexcept;
  [[nodiscard]] Ended Do(const Batch& batch, const std::stop_token& stop);
  [[nodiscard]] Result<void> MakeProducer();
  template <typename Call>
  [[nodiscard]] Ended Try(const std::stop_token& stop, const Call& call);
  [[nodiscard]] rd_kafka_resp_err_t Write(const Settlement& settlement,
                                          const std::stop_token& stop);
  [[nodiscard]] rd_kafka_resp_err_t Write(Place& place, const KafkaDraft& draft,
                                          std::string_view key,
                                          std::int32_t partition,
                                          const std::stop_token& stop);
  [[nodiscard]] rd_kafka_resp_err_t AwaitWritten(const std::stop_token& stop);
  [[nodiscard]] Result<void> Check(const Place& place, const KafkaDraft& draft,
                                   std::string_view key) const;
  [[nodiscard]] static Error RefusedBy(const Place& place,
                                       rd_kafka_resp_err_t code);
  void FindRefusing(const Batch& batch, const std::stop_token& stop);
  [[nodiscard]] bool Refuses(Place& place, const Batch& batch,
                             const Settlement& sample,
                             const std::stop_token& stop);
  void TellBuried(const Batch& batch) const noexcept;
  void TellWaiting(const std::string& why, TimePoint& tell_at) const noexcept;
  [[nodiscard]] Ended Abort(const std::stop_token& stop,
                            const std::string& why);
  [[nodiscard]] Ended Rebuild(const std::string& why);

  const std::string id_;
  const Properties properties_;
  const std::size_t most_bytes_;  // That librdkafka takes, of one record.
  const Clock& clock_;
  Voice voice_;
  const InletInfo info_;
  std::deque<Place> outlets_;  // Constant since Join, but for the topics.
  std::deque<Place> places_;

  // The thread's own.
  Handle producer_;
  bool initialised_ = false;
  std::deque<Written> written_;  // The records of this transaction.
  int descriptor_ = -1;
  bool spoilt_ = false;  // A record of this transaction was refused.
  bool failed_ = false;  // One was reported, with whatever error.

  Mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Batch> batch_ CIRRO_GUARDED_BY(mutex_);
  std::optional<Ended> ended_ CIRRO_GUARDED_BY(mutex_);

  std::jthread thread_;
};

}  // namespace cirro::internal::kafka
