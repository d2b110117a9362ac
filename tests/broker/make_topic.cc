// usage: make_topic [PARTITIONS]
//
// Makes a topic with a fresh name on CIRRO_TEST_KAFKA_URL and prints the name:
// the brokers of tests make none by themselves.
#include <cstdio>
#include <exception>
#include <string>

#include "support/kafka_tool.h"

int main(int argc, char** argv) {
  try {
    cirro::test::KafkaTool tool(cirro::test::KafkaUrl());
    const int partitions = argc > 1 ? std::stoi(argv[1]) : 1;
    std::puts(tool.MakeTopic(partitions).c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
