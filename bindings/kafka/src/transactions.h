#pragma once

#include <librdkafka/rdkafka.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/mutex.h"
#include "cirro/dispatch/settlement.h"
#include "cirro/kafka/inlet_options.h"
#include "cirro/kafka/outlet_options.h"
#include "handles.h"
#include "produce.h"

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
  };
  struct Ended {
    End end = End::kAborted;
    std::string why{};
  };

  /// Fails with kInvalidConfig. REQUIRES: `voice` outlives it.
  [[nodiscard]] static Result<std::unique_ptr<Transactions>> Make(
      const KafkaInletOptions& options, const Voice& voice);
  ~Transactions();
  Transactions(const Transactions&) = delete;
  Transactions& operator=(const Transactions&) = delete;

  /// Where outputs and letters go, by their index. REQUIRES: before Start.
  void Join(std::vector<KafkaOutletOptions> outlets,
            std::vector<KafkaOutletOptions> places);
  /// Wakes `descriptor`, an eventfd, whenever a batch ended.
  [[nodiscard]] Result<void> Start(int descriptor);

  /// REQUIRES: the one before was taken.
  void Submit(Batch batch) noexcept;
  /// How the batch ended; nothing: it has not, or there is none.
  [[nodiscard]] std::optional<Ended> Take() noexcept;
  [[nodiscard]] const std::string& id() const noexcept { return id_; }

 private:
  struct Place {
    KafkaOutletOptions options;
    Topic topic{};
  };

  Transactions(const KafkaInletOptions& options, const Voice& voice,
               std::string id, Properties properties);

  void Run(const std::stop_token& stop) noexcept;
  [[nodiscard]] Ended Do(const Batch& batch, const std::stop_token& stop);
  [[nodiscard]] Result<void> MakeProducer();
  template <typename Call>
  [[nodiscard]] Ended Try(const std::stop_token& stop, const Call& call);
  [[nodiscard]] rd_kafka_resp_err_t Write(const Settlement& settlement);
  [[nodiscard]] rd_kafka_resp_err_t Write(Place& place, const KafkaDraft& draft,
                                          std::string_view key,
                                          std::int32_t partition);
  [[nodiscard]] Ended Abort(const std::stop_token& stop,
                            const std::string& why);
  [[nodiscard]] Ended Rebuild(const std::string& why);

  const std::string id_;
  const Properties properties_;
  Voice voice_;

  // The thread's own.
  std::vector<Place> outlets_;
  std::vector<Place> places_;
  Handle producer_;
  bool initialised_ = false;
  std::deque<Wanted> wanted_;  // Of the records of this transaction.
  int descriptor_ = -1;

  Mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Batch> batch_ CIRRO_GUARDED_BY(mutex_);
  std::optional<Ended> ended_ CIRRO_GUARDED_BY(mutex_);

  std::jthread thread_;
};

}  // namespace cirro::internal::kafka
