// A process of a consumer group, to be killed: BROKERS TOPICS GROUP FILE
// [INSTANCE]. Of several topics, with commas, each has an inlet of its own.
//
// It writes the id of each event that it has done to FILE, a line each, and
// then settles it. An event of type "poison" kills it, one of type
// "late.poison" a moment later, while others run; one of type "late" is done
// after a longer one. What is given up is written as "crashed ID". It says
// "ready" when it is assigned, and SIGTERM makes it stop in good order.

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cirro/dispatch/capability.h"
#include "cirro/dispatch/consumer_groups.h"
#include "support/kafka_rig.h"
#include "support/real_time.h"

namespace {

using namespace cirro;  // NOLINT(google-build-using-namespace): one file.

class Writing final : public Sink {
 public:
  explicit Writing(const char* file)
      : file_(open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {}

  void Deliver(std::span<Delivery> batch) noexcept override {
    for (Delivery& delivery : batch) {
      const std::string type(delivery.event()->type());
      if (delivery.facts.crashed) {
        Write("crashed " + std::string(delivery.event()->id()));
      } else if (type == "poison") {
        kill(getpid(), SIGKILL);
      } else if (type == "late.poison") {
        std::thread([held = std::move(delivery)] {
          std::this_thread::sleep_for(kMoment);
          kill(getpid(), SIGKILL);
        }).detach();
        continue;
      } else if (type == "late") {
        std::thread([this, held = std::move(delivery)]() mutable {
          std::this_thread::sleep_for(3 * kMoment);
          Write(std::string(held.event()->id()));
          held.Settle({.kind = Settlement::Kind::kAck});
        }).detach();
        continue;
      } else {
        Write(std::string(delivery.event()->id()));
      }
      delivery.Settle({.kind = Settlement::Kind::kAck});
    }
  }

 private:
  static constexpr std::chrono::milliseconds kMoment{200};

  void Write(std::string line) const {
    line += '\n';
    if (write(file_, line.data(), line.size()) < 0) _exit(1);
  }

  const int file_;
};

class Saying final : public PartitionHooks {
 public:
  void OnAssigned(std::span<const std::string> /*all*/) noexcept override {
    static_cast<void>(!write(STDOUT_FILENO, "ready\n", 6));
  }
  void OnRevoked(std::span<const std::string> /*all*/,
                 bool /*lost*/) noexcept override {}
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 5 && count != 6) return 2;
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);

  KafkaInletOptions options;
  options.connection.brokers = arguments[1];
  options.group = arguments[3];
  options.commit_every = std::chrono::milliseconds(50);
  options.session_timeout = std::chrono::milliseconds(6'000);
  const test::RealClock clock;
  test::Notes notes;
  Writing sink(arguments[4]);
  Saying hooks;
  std::vector<std::unique_ptr<Inlet>> inlets;
  std::string topic;
  for (std::istringstream topics(arguments[2]);
       std::getline(topics, topic, ',');) {
    options.topics = {topic};
    if (count == 6) options.instance_id = arguments[5] + topic;
    auto inlet = test::Kafka().make_inlet(options, clock, notes);
    if (!inlet) return 3;
    CapabilityOf<ConsumerGroups>(**inlet)->SetPartitionHooks(hooks);
    if (!(*inlet)->Start(sink)) return 4;
    inlets.push_back(*std::move(inlet));
  }
  int number = 0;
  sigwait(&stop, &number);
  for (const auto& inlet : inlets) inlet->BeginDrain(std::chrono::seconds(5));
  bool stopped = true;
  for (const auto& inlet : inlets) {
    stopped = inlet->Stop(std::chrono::seconds(5)) && stopped;
  }
  return stopped ? 0 : 1;
}
