// A process of a consumer group, to be killed: BROKERS TOPIC GROUP FILE.
//
// It writes the id of each event that it has done to FILE, a line each, and
// then settles it. An event of type "poison" kills it, one that is given up for
// that is written as "crashed ID". It says "ready" when it is assigned, and
// SIGTERM makes it stop in good order.

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

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
      std::string line(delivery.event()->id());
      if (delivery.facts.crashed) {
        line.insert(0, "crashed ");
      } else if (delivery.event()->type() == "poison") {
        kill(getpid(), SIGKILL);
      }
      line += '\n';
      if (write(file_, line.data(), line.size()) < 0) _exit(1);
      delivery.Settle({.kind = Settlement::Kind::kAck});
    }
  }

 private:
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
  if (count != 5) return 2;
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);

  KafkaInletOptions options;
  options.connection.brokers = arguments[1];
  options.topics = {arguments[2]};
  options.group = arguments[3];
  options.commit_every = std::chrono::milliseconds(50);
  options.session_timeout = std::chrono::milliseconds(6'000);
  const test::RealClock clock;
  test::Notes notes;
  Writing sink(arguments[4]);
  Saying hooks;
  auto inlet = test::Kafka().make_inlet(options, clock, notes);
  if (!inlet) return 3;
  CapabilityOf<ConsumerGroups>(**inlet)->SetPartitionHooks(hooks);
  if (!(*inlet)->Start(sink)) return 4;
  int number = 0;
  sigwait(&stop, &number);
  (*inlet)->BeginDrain(std::chrono::seconds(5));
  return (*inlet)->Stop(std::chrono::seconds(5)) ? 0 : 1;
}
