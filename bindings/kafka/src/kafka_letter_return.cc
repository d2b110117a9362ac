#include "kafka_letter_return.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cirro/dispatch/mutex.h"
#include "cirro/kafka/codec.h"
#include "cirro/kafka/kafka.h"
#include "kafka_outlet.h"
#include "properties.h"

namespace cirro::internal::kafka {
namespace {

// Waits for one send at a time.
class OneSend final : public SendListener {
 public:
  void OnSent(std::uint64_t /*send*/, Result<void> result,
              std::chrono::milliseconds /*retry_after*/) noexcept override {
    const MutexLock lock(mutex_);
    result_ = std::move(result);
    changed_.notify_all();
  }

  Result<void> Wait() {
    const MutexLock lock(mutex_);
    while (!result_) changed_.wait(mutex_);
    return *std::exchange(result_, std::nullopt);
  }

 private:
  Mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Result<void>> result_ CIRRO_GUARDED_BY(mutex_);
};

class KafkaLetterReturn final : public LetterReturn {
 public:
  KafkaLetterReturn(KafkaInletOptions options, const Clock& clock,
                    Observer& observer)
      : options_(std::move(options)), clock_(clock), observer_(observer) {}
  ~KafkaLetterReturn() override {
    for (const auto& [topic, outlet] : outlets_) {
      outlet->Stop(std::chrono::milliseconds(0));
    }
  }

  Result<void> Return(const DeadLetter& letter) override {
    const auto outlet = OutletTo(letter.facts.position);
    if (!outlet) return outlet.error();
    (*outlet)->SendBack(letter, SendCompletion(send_, 0));
    return send_.Wait();
  }

 private:
  // One of those that the inlet reads: a letter is what somebody wrote.
  Result<KafkaOutlet*> OutletTo(const std::string& position) {
    const std::string_view stream = SplitPosition(position).stream;
    const std::string topic(stream.substr(0, stream.rfind('/')));
    const bool reads = std::any_of(
        options_.topics.begin(), options_.topics.end(),
        [&](const std::string& each) {
          return each == topic || (each.starts_with('^') && !topic.empty());
        });
    if (!reads || stream.rfind('/') == std::string_view::npos) {
      return InvalidOption("topics", "position '" + position +
                                         "' is in none that this inlet reads");
    }
    std::unique_ptr<KafkaOutlet>& outlet = outlets_[topic];
    if (outlet != nullptr) return outlet.get();
    KafkaOutletOptions options;
    options.name = options_.name;
    options.connection = options_.connection;
    options.topic = topic;
    options.linger = std::chrono::milliseconds(0);  // One at a time is sent.
    auto made = KafkaOutlet::Make(std::move(options), clock_, observer_);
    if (!made) return std::move(made).error();
    if (auto started = (*made)->Start(); !started) return started.error();
    outlet.reset(static_cast<KafkaOutlet*>(made->release()));
    return outlet.get();
  }

  const KafkaInletOptions options_;
  const Clock& clock_;
  Observer& observer_;
  OneSend send_;
  std::map<std::string, std::unique_ptr<KafkaOutlet>> outlets_;
};

}  // namespace

Result<std::unique_ptr<LetterReturn>> OpenKafkaReturn(
    const KafkaInletOptions& options, const Clock& clock, Observer& observer) {
  if (auto checked = ConsumerProperties(options); !checked) {
    return std::move(checked).error();
  }
  return std::unique_ptr<LetterReturn>(
      std::make_unique<KafkaLetterReturn>(options, clock, observer));
}

}  // namespace cirro::internal::kafka
