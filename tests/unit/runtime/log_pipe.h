#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <string>

#include "cirro/dispatch/delivery.h"

namespace cirro::internal {

// A pipe and what came through it.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe(ends_.data()), 0); }
  ~Pipe() {
    close(ends_[0]);
    if (ends_[1] >= 0) close(ends_[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  [[nodiscard]] int in() const { return ends_[1]; }
  std::string ReadAll() {
    close(ends_[1]);
    ends_[1] = -1;
    std::string text;
    char buffer[4096];
    ssize_t got = 0;
    while ((got = read(ends_[0], buffer, sizeof buffer)) > 0) {
      text.append(buffer, static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

}  // namespace cirro::internal
