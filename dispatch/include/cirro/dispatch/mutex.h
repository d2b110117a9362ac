#pragma once

#include <mutex>

// Clang checks these; g++ ignores them. libstdc++ does not annotate std::mutex,
// so -Wthread-safety sees nothing without this wrapper.
#if defined(__clang__)
#define CIRRO_ATTRIBUTE(x) __attribute__((x))
#else
#define CIRRO_ATTRIBUTE(x)
#endif
#define CIRRO_GUARDED_BY(mutex) CIRRO_ATTRIBUTE(guarded_by(mutex))
#define CIRRO_REQUIRES(mutex) CIRRO_ATTRIBUTE(requires_capability(mutex))
#define CIRRO_EXCLUDES(mutex) CIRRO_ATTRIBUTE(locks_excluded(mutex))

namespace cirro {

/// A std::mutex that clang's thread-safety analysis can see. It keeps the
/// standard names, so std::condition_variable_any waits on it.
class CIRRO_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void lock() CIRRO_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  void unlock() CIRRO_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

/// Holds a Mutex for a scope.
class CIRRO_ATTRIBUTE(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) CIRRO_ATTRIBUTE(acquire_capability(mutex))
      : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() CIRRO_ATTRIBUTE(release_capability()) { mutex_.unlock(); }

  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace cirro
