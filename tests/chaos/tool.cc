// What the kill test does with topics, beside the functions: makes and fills
// them, tells how far the results are, and judges at the end.
//
//   ADDRESS make TOPIC PARTITIONS
//   ADDRESS produce TOPIC COUNT KEYS
//   ADDRESS follow RESULTS COUNT         how many there are, a line each now
//   and
//                                        then, until all are
//   ADDRESS judge INPUTS RESULTS LETTERS INTERVAL_MS      a verdict in JSON

#include <cinttypes>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "chaos/judge.h"
#include "chaos/topics.h"

namespace {

using cirro::chaos::Judge;
using cirro::chaos::Record;
using cirro::chaos::Topics;
using cirro::chaos::Verdict;

constexpr std::int64_t kSayEvery = 50;

void Follow(Topics& topics, const std::string& results, std::int64_t count) {
  Judge judge(1'000);
  std::int64_t done = 0;
  topics.Follow(results, [&](const Record& record) {
    if (!judge.Result(record.payload, record.written_ms)) return true;
    ++done;
    if (done % kSayEvery == 0 || done == count) {
      std::printf("%" PRId64 "\n", done);
      std::fflush(stdout);
    }
    return done < count;
  });
}

void Decide(Topics& topics, const std::vector<std::string>& words) {
  Judge judge(std::stoll(words[3]));
  std::int64_t letters = 0;
  topics.Read(words[0], [&](const Record& record) {
    if (!judge.Input(record.payload)) {
      throw std::runtime_error("an input is no event of this tool: " +
                               std::string(record.payload));
    }
    return true;
  });
  topics.Read(words[1], [&](const Record& record) {
    judge.Result(record.payload, record.written_ms);
    return true;
  });
  topics.Read(words[2], [&](const Record&) { return ++letters > 0; });
  const Verdict verdict = judge.Rule();
  std::string examples;
  for (const std::string& example : verdict.examples) {
    examples.append(examples.empty() ? "\"" : ", \"").append(example) += '"';
  }
  std::printf("{\"inputs\": %" PRId64 ", \"results\": %" PRId64
              ", \"lost\": %" PRId64 ", \"strangers\": %" PRId64
              ", \"disordered\": %" PRId64 ", \"duplicates\": %" PRId64
              ", \"most_at_once\": %" PRId64 ", \"letters\": %" PRId64
              ", \"examples\": [%s]}\n",
              verdict.inputs, verdict.results, verdict.lost, verdict.strangers,
              verdict.disordered, verdict.duplicates(), verdict.most_at_once,
              letters, examples.c_str());
}

int Run(const std::vector<std::string>& words) {
  if (words.size() < 3) return 2;
  const std::string& verb = words[1];
  const std::vector<std::string> rest(words.begin() + 2, words.end());
  const auto topics = Topics::Connect(words[0]);
  if (verb == "make" && rest.size() == 2) {
    topics->Make(rest[0], std::stoi(rest[1]));
  } else if (verb == "produce" && rest.size() == 3) {
    topics->Produce(rest[0], std::stoll(rest[1]), std::stoll(rest[2]));
  } else if (verb == "follow" && rest.size() == 2) {
    Follow(*topics, rest[0], std::stoll(rest[1]));
  } else if (verb == "judge" && rest.size() == 4) {
    Decide(*topics, rest);
  } else {
    return 2;
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return Run({arguments + 1, arguments + count});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
