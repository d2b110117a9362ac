// [PARTITIONS]: makes a topic with a fresh name on CIRRO_TEST_KAFKA_URL and
// prints the name: the brokers of tests make none by themselves.
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "support/kafka_tool.h"

int main(int count, char** words) {
  try {
    cirro::test::KafkaTool tool(cirro::test::KafkaUrl());
    std::puts(tool.MakeTopic(count > 1 ? std::atoi(words[1]) : 1).c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
