#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "support/free_port.h"
#include "support/nats_server.h"

namespace cirro::test {

/// Servers of one cluster, named n0, n1, ...; each can die and come back.
class NatsCluster {
 public:
  explicit NatsCluster(std::size_t size) {
    std::vector<std::string> routes;
    std::string all;
    for (std::size_t i = 0; i < size; ++i) {
      routes.push_back("nats://127.0.0.1:" + std::to_string(FreePort()));
      all += (all.empty() ? "" : ",") + routes.back();
    }
    for (std::size_t i = 0; i < size; ++i) {
      servers_.push_back(std::make_unique<NatsServer>(std::vector<std::string>{
          "--server_name", "n" + std::to_string(i), "--cluster_name", "test",
          "--cluster", routes[i], "--routes", all}));
    }
  }

  [[nodiscard]] std::vector<std::string> urls() const {
    std::vector<std::string> urls;
    for (const auto& server : servers_) urls.push_back(server->url());
    return urls;
  }
  /// All of them, with commas.
  [[nodiscard]] std::string url() const {
    std::string all;
    for (const std::string& url : urls()) all += (all.empty() ? "" : ",") + url;
    return all;
  }
  [[nodiscard]] NatsServer& Named(const std::string& name) {
    return *servers_.at(std::stoul(name.substr(1)));
  }

 private:
  std::vector<std::unique_ptr<NatsServer>> servers_;
};

}  // namespace cirro::test
