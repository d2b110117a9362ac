#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <utility>

namespace cirro::bench {

/// Calls of operator new so far, by this program and every library in it: the
/// program's own replaces theirs.
[[nodiscard]] std::uint64_t Allocations() noexcept;

/// Registers a benchmark of `once`, called again and again by one thread, that
/// also reports allocations. What is reported is of one call, or of one of the
/// `parts` that a call deals with. BENCH_ITERATIONS in the environment fixes
/// their number, so that instructions of two runs can be subtracted.
template <typename Once>
void Measure(const char* name, Once once, std::int64_t parts = 1) {
  auto* benchmark = benchmark::RegisterBenchmark(
      name, [once = std::move(once), parts](benchmark::State& state) mutable {
        once();  // what is allocated once and kept is not what a call costs
        const std::uint64_t before = Allocations();
        while (state.KeepRunningBatch(parts)) once();
        state.counters["allocations"] =
            benchmark::Counter(static_cast<double>(Allocations() - before),
                               benchmark::Counter::kAvgIterations);
      });
  if (const char* fixed = std::getenv("BENCH_ITERATIONS")) {
    benchmark->Iterations(std::strtol(fixed, nullptr, 10));
  }
}

/// Runs what was registered; the program's flags are Google Benchmark's.
inline int Run(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  // Not left to the exit handlers, which run when threads' own objects are
  // gone.
  benchmark::ClearRegisteredBenchmarks();
  return 0;
}

}  // namespace cirro::bench
