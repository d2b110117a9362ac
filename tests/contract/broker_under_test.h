#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event.h"
#include "cirro/dispatch/inlet.h"
#include "cirro/dispatch/message.h"
#include "cirro/dispatch/observer.h"
#include "cirro/dispatch/outlet.h"

namespace cirro::test {

/// What a broker may not be able to do. Each is a test's, or a part of one.
enum class Ability : std::uint8_t {
  kSeek,              ///< Reading begins anew elsewhere.
  kMakeUnreachable,   ///< Refuse and Accept.
  kKeyedPublish,      ///< A message has a key of its own.
  kSparesWhatIsDone,  ///< After a crash, what was done above a hole.
  kMovesPartitions,   ///< From a member to one that joins.
  kPassesWhatIsOpen,  ///< What is behind one that is not settled comes.
};

struct InletWish {
  std::string topic;
  std::string group;
  std::uint32_t max_in_flight = 256;
};

/// A message as it lies in a topic.
struct Kept {
  std::string bytes;       ///< Its body, as on the wire.
  MessageHeaders headers;  ///< Beside those that are attributes.
  std::string id;          ///< Empty where it is no event.
};

/// A broker as the contract sees it: real servers, real clients, real time.
/// What is asked of it is so when it returns, or becomes so soon; tests wait
/// for conditions with a deadline.
class BrokerUnderTest {
 public:
  BrokerUnderTest() = default;
  BrokerUnderTest(const BrokerUnderTest&) = delete;
  BrokerUnderTest& operator=(const BrokerUnderTest&) = delete;
  virtual ~BrokerUnderTest() = default;

  /// Why it cannot; empty where it can.
  [[nodiscard]] virtual std::string Cannot(Ability ability) const = 0;

  /// The name of a topic that is empty and nobody else's.
  virtual std::string NewTopic(std::uint32_t partitions) = 0;
  /// One that gives again within seconds what a dead member had.
  virtual std::unique_ptr<Inlet> MakeInlet(const InletWish& wish,
                                           Observer& observer) = 0;
  /// An outlet that is a DeadLetterPlace too.
  virtual std::unique_ptr<Outlet> MakeOutlet(const std::string& name,
                                             const std::string& topic) = 0;

  /// In binary mode. It is there when this returns.
  virtual void Publish(const std::string& topic, const Event& event,
                       const std::string& key) = 0;
  virtual void PublishRaw(const std::string& topic, const std::string& bytes,
                          const MessageHeaders& headers) = 0;
  virtual std::vector<Kept> Read(const std::string& topic) = 0;
  /// Messages that the group has not settled; what is done above one that is
  /// not is settled, where the broker is told of it.
  virtual std::uint64_t Pending(const std::string& topic,
                                const std::string& group) = 0;

  /// Ends it like a process that is killed: nothing more is said to the broker,
  /// and nothing more delivered. Deliveries that are open still name it.
  virtual void Kill(Inlet& inlet) = 0;
  /// From now on the topic takes nothing, or takes everything again.
  virtual void Refuse(const std::string& topic) = 0;
  virtual void Accept(const std::string& topic) = 0;
};

}  // namespace cirro::test
