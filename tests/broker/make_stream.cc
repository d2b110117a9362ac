// usage: make_stream NAME SUBJECTS
//
// Makes a stream on CIRRO_TEST_NATS_URL.
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "support/nats_peer.h"

int main(int argc, char** argv) {
  const char* const url = std::getenv("CIRRO_TEST_NATS_URL");
  if (argc != 3 || url == nullptr) return 2;
  try {
    cirro::test::NatsPeer(url).MakeStream(argv[1], argv[2]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
