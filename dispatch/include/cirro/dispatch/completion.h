#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "cirro/cloudevents/export.h"
#include "cirro/dispatch/outcome.h"

namespace cirro {

/// Who hears that an asynchronous call finished: the dispatcher.
class CIRRO_EXPORT CompletionListener {
 public:
  CompletionListener() = default;
  CompletionListener(const CompletionListener&) = delete;
  CompletionListener& operator=(const CompletionListener&) = delete;
  virtual ~CompletionListener() = default;

  /// Called exactly once a call, from any thread; never blocks.
  virtual void OnFinished(std::uint64_t call, Outcome outcome) noexcept = 0;
};

/// The duty to finish an asynchronous call, once, from any thread. Move-only;
/// dropped unfinished, it is Retry. Until then the call counts against its
/// function's concurrency.
class CIRRO_EXPORT Completion {
 public:
  // Shared by the dispatcher and every open Completion: a function may keep
  // one past the dispatcher's end.
  Completion(std::shared_ptr<CompletionListener> listener,
             std::uint64_t call) noexcept
      : open_(listener != nullptr),
        listener_(std::move(listener)),
        call_(call) {}
  Completion(Completion&& other) noexcept;
  Completion& operator=(Completion&& other) noexcept;
  ~Completion();

  /// Ends the call. The first Finish counts, also where threads race; any later
  /// one does nothing, as does one on a Completion that was moved from. To be
  /// assigned to or destroyed, it is one thread's alone.
  void Finish(Outcome outcome) noexcept;

 private:
  // Whoever makes it false has `listener_` to itself.
  std::atomic<bool> open_;
  std::shared_ptr<CompletionListener> listener_;
  std::uint64_t call_;
};

}  // namespace cirro
