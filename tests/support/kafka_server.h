#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "support/die_with_parent.h"
#include "support/free_port.h"
#include "support/stand_still.h"
#include "support/temp_dir.h"

namespace cirro::test {

/// Where Apache Kafka lies: `libs/*.jar`, and if it was prepared
/// `data.template` (a formatted directory). Empty: tests that kill their server
/// skip.
inline std::string KafkaHome() {
  const char* const home = std::getenv("CIRRO_TEST_KAFKA_HOME");
  return home == nullptr ? "" : home;
}

/// A class archive of it, with which it starts sooner; empty: none.
inline std::string KafkaArchive() {
  const char* const archive = std::getenv("CIRRO_TEST_KAFKA_ARCHIVE");
  return archive == nullptr ? "" : archive;
}

/// What a broker listens to and knows beside the usual.
struct KafkaServerExtra {
  std::string listeners{};  ///< ",NAME://HOST:PORT", and so on.
  std::string protocols{};  ///< ",NAME:PROTOCOL", likewise.
  std::string properties{};
  std::vector<std::string> format{};  ///< Arguments: who may log in by SCRAM.
};

/// A broker of the test's own, to be killed and started again with its data. It
/// ends with the thread that started it at the latest.
class KafkaServer {
 public:
  /// Formats and starts it.
  explicit KafkaServer(KafkaServerExtra extra = {})
      : port_(FreePort()),
        controller_port_(FreePort()),
        home_(KafkaHome()),
        extra_(std::move(extra)) {
    std::vector<std::string> jars;
    for (const auto& entry :
         std::filesystem::directory_iterator(home_ + "/libs")) {
      if (entry.path().extension() == ".jar") jars.push_back(entry.path());
    }
    // The archive holds for one order of the class path.
    std::sort(jars.begin(), jars.end());
    for (const std::string& jar : jars) {
      class_path_ += (class_path_.empty() ? "" : ":") + jar;
    }
    WriteProperties();
    const std::filesystem::path data(home_ + "/data.template");
    if (std::filesystem::exists(data) && extra_.format.empty()) {
      std::filesystem::copy(data, directory_ / "data",
                            std::filesystem::copy_options::recursive);
    } else {
      std::vector<std::string> words = {"-cp",
                                        class_path_,
                                        "kafka.tools.StorageTool",
                                        "format",
                                        "-t",
                                        "AAAAAAAAAAAAAAAAAAAAAA",
                                        "-c",
                                        directory_ / "properties"};
      words.insert(words.end(), extra_.format.begin(), extra_.format.end());
      Wait(Run(words));
    }
    Start();
  }
  ~KafkaServer() { Kill(); }
  KafkaServer(const KafkaServer&) = delete;
  KafkaServer& operator=(const KafkaServer&) = delete;

  [[nodiscard]] std::string url() const {
    return "127.0.0.1:" + std::to_string(port_);
  }

  /// Waits until it answers on its port.
  void Start() {
    std::vector<std::string> words = {"-Xms64m", "-Xmx256m", "-XX:+UseSerialGC",
                                      "-XX:TieredStopAtLevel=1"};
    if (!KafkaArchive().empty()) {
      words.push_back("-XX:SharedArchiveFile=" + KafkaArchive());
      words.emplace_back("-Xshare:auto");
    }
    words.insert(words.end(),
                 {"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp",
                  class_path_, "kafka.Kafka", directory_ / "properties"});
    pid_ = Run(words);
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!Answers()) {
      if (std::chrono::steady_clock::now() >= end) {
        throw std::runtime_error("Kafka does not start");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  /// Takes connections and answers nothing, until it is killed.
  void Pause() const { StandStill(pid_); }
  /// As a machine that loses its power.
  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    Wait(pid_);
    pid_ = -1;
  }

 private:
  void WriteProperties() const {
    const std::string port = std::to_string(port_);
    const std::string controller = std::to_string(controller_port_);
    std::ofstream(directory_ / "properties")
        << "process.roles=broker,controller\nnode.id=1\n"
        << "controller.quorum.voters=1@127.0.0.1:" << controller << "\n"
        << "listeners=PLAINTEXT://127.0.0.1:" << port
        << ",CONTROLLER://127.0.0.1:" << controller << extra_.listeners << "\n"
        << "advertised.listeners=PLAINTEXT://127.0.0.1:" << port
        << extra_.listeners << "\n"
        << "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,"
           "CONTROLLER:PLAINTEXT"
        << extra_.protocols << "\n"
        << extra_.properties << "controller.listener.names=CONTROLLER\n"
        << "inter.broker.listener.name=PLAINTEXT\n"
        << "log.dirs=" << (directory_ / "data") << "\n"
        << "auto.create.topics.enable=false\n"
           "offsets.topic.replication.factor=1\n"
           "offsets.topic.num.partitions=1\n"
           "transaction.state.log.replication.factor=1\n"
           "transaction.state.log.min.isr=1\n"
           "transaction.state.log.num.partitions=1\n"
           "group.initial.rebalance.delay.ms=0\n"
           "group.min.session.timeout.ms=500\n"
           "num.network.threads=1\nnum.io.threads=2\n"
           "background.threads=1\nnum.recovery.threads.per.data.dir=1\n"
           "log.cleaner.dedupe.buffer.size=2097152\n"
           "log.cleaner.io.buffer.size=65536\n"
           "broker.heartbeat.interval.ms=100\n"
           "broker.session.timeout.ms=4000\n";
  }

  pid_t Run(const std::vector<std::string>& arguments) const {
    std::vector<std::string> all = {"java"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    std::vector<char*> raw;
    for (std::string& each : all) raw.push_back(each.data());
    raw.push_back(nullptr);
    const std::string log = directory_ / "log";
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid < 0) throw std::runtime_error("fork");
    if (pid == 0) {
      DieWithParent(parent);
      if (freopen(log.c_str(), "a", stdout) == nullptr) _exit(126);
      dup2(STDOUT_FILENO, STDERR_FILENO);
      execvp("java", raw.data());
      _exit(127);
    }
    return pid;
  }
  static void Wait(pid_t pid) { waitpid(pid, nullptr, 0); }

  [[nodiscard]] bool Answers() const {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool ok =
        connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    close(fd);
    return ok;
  }

  const std::uint16_t port_;
  const std::uint16_t controller_port_;
  const std::string home_;
  const KafkaServerExtra extra_;
  TempDir directory_;
  std::string class_path_;
  pid_t pid_ = -1;
};

}  // namespace cirro::test
