#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "cirro/cloudevents/error.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/context.h"
#include "cirro/dispatch/observer.h"
#include "properties.h"

namespace cirro::internal::kafka {

/// librdkafka's objects, each with the function that ends it.
template <auto kDestroy>
struct Destroy {
  template <typename Object>
  void operator()(Object* object) const noexcept {
    kDestroy(object);
  }
};
using Handle = std::unique_ptr<rd_kafka_t, Destroy<&rd_kafka_destroy>>;
using Conf = std::unique_ptr<rd_kafka_conf_t, Destroy<&rd_kafka_conf_destroy>>;
using Topic =
    std::unique_ptr<rd_kafka_topic_t, Destroy<&rd_kafka_topic_destroy>>;
using HandleQueue =
    std::unique_ptr<rd_kafka_queue_t, Destroy<&rd_kafka_queue_destroy>>;
using HandleEvent =
    std::unique_ptr<rd_kafka_event_t, Destroy<&rd_kafka_event_destroy>>;
using HandleError =
    std::unique_ptr<rd_kafka_error_t, Destroy<&rd_kafka_error_destroy>>;
using PartitionList =
    std::unique_ptr<rd_kafka_topic_partition_list_t,
                    Destroy<&rd_kafka_topic_partition_list_destroy>>;
using GroupMetadata =
    std::unique_ptr<rd_kafka_consumer_group_metadata_t,
                    Destroy<&rd_kafka_consumer_group_metadata_destroy>>;

/// Says what a client has to say, in the name of its part. The opaque of every
/// handle: librdkafka's own log lines come through it, from any thread.
class Voice {
 public:
  Voice(std::string part, Observer& observer)
      : part_(std::move(part)), observer_(observer) {}

  [[nodiscard]] const std::string& part() const noexcept { return part_; }
  void Say(LogLevel level, std::string_view text) const noexcept {
    observer_.Noted(level, part_, text);
  }
  void Held(std::string_view partition, bool waits) const noexcept {
    observer_.Held(part_, partition, waits);
  }
  /// So many messages left the source before they were delivered.
  void Lost(std::uint64_t messages) const noexcept {
    observer_.Lost(part_, messages);
  }
  /// A dead letter, of `delivery`, is safe at `place`.
  void Buried(const DeadLetterFacts& facts, const Delivery& delivery,
              std::string_view place) const noexcept {
    observer_.Buried(facts, delivery, place);
  }
  void Fail(const Error& error) const noexcept {
    observer_.Failed(part_, error);
  }

 private:
  const std::string part_;
  Observer& observer_;
};

/// A log line of librdkafka, in the words of `voice`; levels are syslog's.
void SayForLibrary(const Voice& voice, int level, std::string_view facility,
                   std::string_view text) noexcept;

/// A configuration with these properties and the log of `voice`. Fails with
/// kInvalidConfig for what librdkafka does not take. REQUIRES: `voice` outlives
/// the handle that is made of it.
[[nodiscard]] Result<Conf> MakeConf(const Properties& properties, Voice& voice);

/// Fails with kInvalidConfig: a certificate that cannot be read, say.
[[nodiscard]] Result<Handle> MakeHandle(rd_kafka_type_t type, Conf conf);

/// "text of the code (name)".
[[nodiscard]] std::string TextOf(rd_kafka_resp_err_t code);

/// How a send ended that was reported with `code`.
[[nodiscard]] ErrorCode SendErrorOf(rd_kafka_resp_err_t code,
                                    rd_kafka_msg_status_t status) noexcept;

/// The thread that calls it handles no signal.
void BlockSignals() noexcept;

}  // namespace cirro::internal::kafka
