#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <latch>
#include <set>
#include <thread>
#include <vector>

#include "cirro/dispatch/mutex.h"
#include "runtime/src/container_limits.h"
#include "runtime/src/timer_thread.h"
#include "runtime/src/worker_pool.h"
#include "support/temp_dir.h"

namespace cirro::internal {
namespace {

// A function of a test as a task.
class Job {
 public:
  explicit Job(std::function<void(std::uint64_t)> body)
      : body_(std::move(body)) {}
  [[nodiscard]] Task With(std::uint64_t argument) {
    return {[](void* self, std::uint64_t n) noexcept {
              static_cast<Job*>(self)->body_(n);
            },
            this, argument};
  }

 private:
  std::function<void(std::uint64_t)> body_;
};

// The system gives no thread, for no stack is as large as is asked for.
class NoThreads {
 public:
  NoThreads() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t huge;
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, std::size_t{1} << 46);
    pthread_setattr_default_np(&huge);
    pthread_attr_destroy(&huge);
  }
  ~NoThreads() {
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;

 private:
  pthread_attr_t before_{};
};

TEST(WorkerPool, SaysAtTheStartThatThereIsNoThreadToBeHad) {
  WorkerPool pool({.quick = 1, .most = 1});
  {
    const NoThreads none;
    const auto prepared = pool.Prepare();
    ASSERT_FALSE(prepared);
    EXPECT_EQ(prepared.error().code, ErrorCode::kUnavailable);
  }

  EXPECT_TRUE(pool.Prepare());
  EXPECT_TRUE(pool.Prepare());
  EXPECT_EQ(pool.threads(), 1U);
}

TEST(WorkerPool, AThreadThatComesBackRunsWhatNoOtherCouldBeStartedFor) {
  std::promise<void> release;
  std::latch hangs(1);
  Job hang([&](std::uint64_t) {
    hangs.count_down();
    release.get_future().wait();
  });
  std::promise<void> ran;
  Job other([&](std::uint64_t) { ran.set_value(); });
  WorkerPool pool({.quick = 1, .most = 1, .max_hung = 1});
  const Task hanging = hang.With(0);
  pool.Post({&hanging, 1});
  hangs.wait();
  ASSERT_TRUE(pool.ReplaceHung(hanging));
  {
    const NoThreads none;
    const Task waiting = other.With(0);
    pool.Post({&waiting, 1});
  }

  release.set_value();

  EXPECT_EQ(ran.get_future().wait_for(std::chrono::seconds(20)),
            std::future_status::ready);
  EXPECT_TRUE(pool.Stop(TimePoint::max()));
}

TEST(WorkerPool, HasNoThreadBeforeItsFirstTask) {
  WorkerPool pool({.quick = 2, .most = 8});

  EXPECT_EQ(pool.threads(), 0U);
}

TEST(WorkerPool, RunsEachTaskOnceInOrderOnOneThread) {
  std::vector<std::uint64_t> seen;
  Job job([&](std::uint64_t n) { seen.push_back(n); });
  WorkerPool pool({.quick = 1, .most = 1});

  for (std::uint64_t i = 0; i < 1000; ++i) {
    const Task task = job.With(i);
    pool.Post({&task, 1});
  }
  ASSERT_TRUE(pool.Stop(TimePoint::max()));

  ASSERT_EQ(seen.size(), 1000U);
  for (std::uint64_t i = 0; i < 1000; ++i) EXPECT_EQ(seen[i], i);
}

TEST(WorkerPool, GrowsWhenItsThreadsBlock) {
  constexpr std::uint64_t kJobs = 12;
  std::latch all_run(kJobs);
  // Each waits for all the others: they run at the same time or never.
  Job job([&](std::uint64_t) { all_run.arrive_and_wait(); });
  WorkerPool pool({.quick = 1, .most = kJobs});
  std::vector<Task> tasks;
  for (std::uint64_t i = 0; i < kJobs; ++i) tasks.push_back(job.With(i));

  pool.Post(tasks);
  all_run.wait();

  EXPECT_EQ(pool.threads(), kJobs);
  EXPECT_TRUE(pool.Stop(TimePoint::max()));
}

TEST(WorkerPool, NeverHasMoreThreadsThanItsBound) {
  Mutex mutex;
  std::set<std::thread::id> threads;
  Job job([&](std::uint64_t) {
    const MutexLock lock(mutex);
    threads.insert(std::this_thread::get_id());
  });
  WorkerPool pool({.quick = 2, .most = 3});
  std::vector<Task> tasks(10'000, job.With(0));

  pool.Post(tasks);
  ASSERT_TRUE(pool.Stop(TimePoint::max()));

  EXPECT_LE(threads.size(), 3U);
}

TEST(WorkerPool, ReplacesHungThreadsUpToItsBoundAndThenSaysSo) {
  std::promise<void> release;
  const std::shared_future<void> released(release.get_future());
  std::latch both_hang(2);
  Job hang([&](std::uint64_t) {
    both_hang.count_down();
    released.wait();
  });
  std::atomic<int> exhausted{0};
  Job on_exhausted([&](std::uint64_t) { ++exhausted; });
  WorkerPool pool({.quick = 2,
                   .most = 2,
                   .max_hung = 1,
                   .exhausted = on_exhausted.With(0)});
  const std::array<Task, 2> hanging{hang.With(0), hang.With(1)};
  pool.Post(hanging);
  both_hang.wait();
  std::latch other_ran(1);
  Job other([&](std::uint64_t) { other_ran.count_down(); });
  const Task waiting = other.With(0);
  pool.Post({&waiting, 1});

  EXPECT_TRUE(pool.ReplaceHung(hanging[0]));
  other_ran.wait();                           // On the thread that replaced it.
  EXPECT_TRUE(pool.ReplaceHung(hanging[0]));  // Known already.
  EXPECT_EQ(exhausted, 0);
  EXPECT_FALSE(pool.ReplaceHung(hanging[1]));
  EXPECT_EQ(exhausted, 1);
  EXPECT_FALSE(pool.Stop(std::chrono::steady_clock::now()));

  release.set_value();
  EXPECT_TRUE(pool.Stop(TimePoint::max()));
}

TEST(WorkerPool, ATaskThatIsNotRunningNeedsNoReplacement) {
  Job job([](std::uint64_t) {});
  WorkerPool pool({.quick = 1, .most = 1, .max_hung = 0});

  EXPECT_TRUE(pool.ReplaceHung(job.With(7)));
}

TEST(WorkerPool, ManyThreadsMayPost) {
  std::atomic<int> ran{0};
  Job job([&](std::uint64_t) { ++ran; });
  WorkerPool pool({.quick = 2, .most = 4});
  {
    std::vector<std::jthread> posters;
    for (int i = 0; i < 4; ++i) {
      posters.emplace_back([&] {
        for (int k = 0; k < 2'000; ++k) {
          const Task task = job.With(0);
          pool.Post({&task, 1});
        }
      });
    }
  }

  ASSERT_TRUE(pool.Stop(TimePoint::max()));

  EXPECT_EQ(ran, 8'000);
}

TEST(TimerThread, CallsBackAtTheWishedTime) {
  std::promise<TimePoint> called;
  Job job([&](std::uint64_t) {
    called.set_value(std::chrono::steady_clock::now());
  });
  TimerThread timers;
  const TimePoint wish =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(5);

  timers.Arm(wish, job.With(0));

  EXPECT_GE(called.get_future().get(), wish);
  timers.Stop();
}

TEST(TimerThread, ALaterCallReplacesTheWish) {
  std::promise<std::uint64_t> called;
  Job job([&](std::uint64_t n) { called.set_value(n); });
  TimerThread timers;
  const TimePoint now = std::chrono::steady_clock::now();

  timers.Arm(now + std::chrono::hours(2), job.With(1));
  timers.Arm(now + std::chrono::hours(1), job.With(2));
  timers.Arm(now, job.With(3));

  EXPECT_EQ(called.get_future().get(), 3U);
  timers.Stop();
}

TEST(TimerThread, ForgetsAWishAndStopsWithOneOpen) {
  std::atomic<bool> called{false};
  Job job([&](std::uint64_t) { called = true; });
  TimerThread timers;
  const TimePoint now = std::chrono::steady_clock::now();

  timers.Arm(now + std::chrono::hours(1), job.With(0));
  timers.Arm(TimePoint::max(), job.With(0));
  timers.Arm(now + std::chrono::hours(1), job.With(0));
  timers.Stop();

  EXPECT_FALSE(called);
}

// A file system with control groups, below a folder.
class FakeRoot {
 public:
  void Put(const std::string& path, const std::string& text) {
    const std::filesystem::path file = dir_.path() / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  [[nodiscard]] ContainerLimits Read() const {
    return ReadContainerLimits(dir_.path().string());
  }

 private:
  test::TempDir dir_;
};

TEST(ContainerLimits, TheTightestLevelOfControlGroupsBounds) {
  FakeRoot root;
  root.Put("proc/self/cgroup", "0::/pod/container\n");
  root.Put("sys/fs/cgroup/cgroup.controllers", "cpu memory\n");
  root.Put("sys/fs/cgroup/pod/cpu.max", "25000 100000\n");
  root.Put("sys/fs/cgroup/pod/memory.max", "1073741824\n");
  root.Put("sys/fs/cgroup/pod/container/cpu.max", "max 100000\n");
  root.Put("sys/fs/cgroup/pod/container/memory.max", "268435456\n");

  const ContainerLimits limits = root.Read();

  EXPECT_DOUBLE_EQ(limits.cpus, 0.25);
  EXPECT_EQ(limits.cpus_from, "cpu.max");
  EXPECT_EQ(limits.memory_bytes, 268'435'456);
}

TEST(ContainerLimits, VersionOneIsReadToo) {
  FakeRoot root;
  root.Put("proc/self/cgroup", "4:cpu,cpuacct:/a\n3:memory:/a\n");
  root.Put("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "50000\n");
  root.Put("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
  root.Put("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1000000\n");
  root.Put("sys/fs/cgroup/memory/memory.limit_in_bytes",
           "9223372036854771712\n");

  const ContainerLimits limits = root.Read();

  EXPECT_DOUBLE_EQ(limits.cpus, 0.5);
  EXPECT_EQ(limits.memory_bytes, 1'000'000);
}

TEST(ContainerLimits, WithoutControlGroupsTheMachineBounds) {
  const FakeRoot root;

  const ContainerLimits limits = root.Read();

  EXPECT_GE(limits.cpus, 1);
  EXPECT_FALSE(limits.memory_bytes);
}

}  // namespace
}  // namespace cirro::internal
