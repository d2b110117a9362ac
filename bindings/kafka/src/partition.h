#pragma once

#include <librdkafka/rdkafka.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/offset_map.h"
#include "cirro/dispatch/suspect_turn.h"
#include "handles.h"
#include "kept_outputs.h"
#include "ledger.h"

namespace cirro::internal::kafka {

/// One assigned partition: its ledger, its queue, and the records that were
/// taken from the queue and not yet handed on.
class Partition {
 public:
  static constexpr std::size_t kBatch = 256;

  Partition(std::uint32_t slot_number, std::string topic_name,
            std::int32_t partition_number, const Ledger::Limits& limits)
      : slot(slot_number),
        topic(std::move(topic_name)),
        number(partition_number),
        ledger(limits) {}
  ~Partition() { Drop(); }
  Partition(const Partition&) = delete;
  Partition& operator=(const Partition&) = delete;

  const std::uint32_t slot;
  const std::string topic;
  const std::int32_t number;
  std::uint32_t epoch = 0;
  /// DeliveryToken::high of what is delivered now.
  [[nodiscard]] std::uint64_t assignment() const noexcept {
    return static_cast<std::uint64_t>(epoch) << 32 | slot;
  }
  Ledger ledger;
  HandleQueue queue;
  bool revoking = false;
  bool held = false;        ///< At a bound, as was said.
  bool suspicious = false;  ///< Its ledger is, as was said.
  bool rewinds = false;     ///< After an abort: where to is asked.
  bool gone = false;        ///< Its offset is: where to begin is asked.
  bool stopped = false;     ///< Librdkafka fetches it no more: see Restart.
  std::uint32_t anew = 0;   ///< The epoch that was asked of.
  std::uint64_t end = 0;    ///< Of what can be read, as was last heard.
  std::uint64_t committed_offset = 0;
  std::uint64_t awaited = 0;  ///< The version to be committed first; 0: none.
  bool began = false;         ///< The first of these was.
  /// The version that says that a suspect ended; 0: it is committed.
  std::uint64_t ended_alone = 0;
  SuspectTurn::Ticket turn = 0;  ///< Of its suspect, until that is so.
  std::size_t metadata_bytes = kMostMetadataBytes;
  TimePoint read_at{};          ///< Not before; after a record came back.
  std::uint64_t read_from = 0;  ///< Where then.
  bool reads_again = false;
  /// What is to be sent with offsets that are done and not yet committed.
  KeptOutputs outputs{};

  /// Takes what there is, if it holds nothing; false: nothing was.
  bool Fetch() {
    if (at_ < size_) return true;
    at_ = 0;
    const ssize_t got = rd_kafka_consume_batch_queue(
        queue.get(), 0, held_.data(), held_.size());
    size_ = got > 0 ? static_cast<std::size_t>(got) : 0;
    return size_ > 0;
  }
  /// The last Fetch found as many as it takes: there may be more.
  [[nodiscard]] bool had_full_batch() const noexcept {
    return size_ == held_.size();
  }
  /// Null: it holds none.
  [[nodiscard]] const rd_kafka_message_t* front() const noexcept {
    return at_ < size_ ? held_[at_] : nullptr;
  }
  void Pop() noexcept { rd_kafka_message_destroy(held_[at_++]); }
  void Drop() noexcept {
    while (at_ < size_) Pop();
  }

 private:
  std::array<rd_kafka_message_t*, kBatch> held_{};
  std::size_t at_ = 0;
  std::size_t size_ = 0;
};

}  // namespace cirro::internal::kafka
