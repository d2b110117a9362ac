// Replaces the global operator new: malloc, and a count. The other forms of the
// standard library (arrays, nothrow) call this one.

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "micro.h"

namespace {

std::atomic<std::uint64_t> allocations{0};

}  // namespace

namespace cirro::bench {

std::uint64_t Allocations() noexcept {
  return allocations.load(std::memory_order_relaxed);
}

}  // namespace cirro::bench

void* operator new(std::size_t size) {
  // One thread measures, so a load and a store are enough, and cost nothing.
  allocations.store(allocations.load(std::memory_order_relaxed) + 1,
                    std::memory_order_relaxed);
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}

void* operator new(std::size_t size, std::align_val_t alignment) {
  allocations.store(allocations.load(std::memory_order_relaxed) + 1,
                    std::memory_order_relaxed);
  const auto step = static_cast<std::size_t>(alignment);
  if (void* memory = std::aligned_alloc(step, (size + step - 1) / step * step))
    return memory;
  throw std::bad_alloc();
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, [[maybe_unused]] std::size_t size) noexcept {
  std::free(memory);
}
void operator delete(void* memory,
                     [[maybe_unused]] std::align_val_t alignment) noexcept {
  std::free(memory);
}
void operator delete(void* memory, [[maybe_unused]] std::size_t size,
                     [[maybe_unused]] std::align_val_t alignment) noexcept {
  std::free(memory);
}
