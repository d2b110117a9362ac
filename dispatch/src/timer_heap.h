#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "cirro/dispatch/clock.h"
#include "pool.h"

namespace cirro::internal {

/// One time for each index, the earliest on top. Set, changed and taken out in
/// place, so that calls which end in time leave nothing behind.
class TimerHeap {
 public:
  /// `when` of TimePoint::max() takes it out.
  void Set(std::uint32_t index, TimePoint when) {
    if (index >= places_.size()) places_.resize(index + 1, kNone);
    if (when == TimePoint::max()) {
      Remove(index);
      return;
    }
    if (places_[index] == kNone) {
      places_[index] = static_cast<std::uint32_t>(heap_.size());
      heap_.push_back({when, index});
      Rise(places_[index]);
      return;
    }
    const std::uint32_t place = places_[index];
    heap_[place].when = when;
    Rise(place);
    Sink(places_[index]);
  }

  void Remove(std::uint32_t index) {
    if (index >= places_.size() || places_[index] == kNone) return;
    const std::uint32_t place = std::exchange(places_[index], kNone);
    const Node last = heap_.back();
    heap_.pop_back();
    if (last.index == index) return;
    Put(place, last);
    Rise(place);
    Sink(places_[last.index]);
  }

  [[nodiscard]] TimePoint Earliest() const {
    return heap_.empty() ? TimePoint::max() : heap_.front().when;
  }
  /// REQUIRES: there is one. Takes it out.
  std::uint32_t PopEarliest() {
    const std::uint32_t index = heap_.front().index;
    Remove(index);
    return index;
  }

 private:
  struct Node {
    TimePoint when;
    std::uint32_t index;
  };

  void Put(std::uint32_t place, const Node& node) {
    heap_[place] = node;
    places_[node.index] = place;
  }
  void Rise(std::uint32_t place) {
    const Node node = heap_[place];
    while (place > 0 && node.when < heap_[(place - 1) / 2].when) {
      Put(place, heap_[(place - 1) / 2]);
      place = (place - 1) / 2;
    }
    Put(place, node);
  }
  void Sink(std::uint32_t place) {
    const Node node = heap_[place];
    for (;;) {
      std::size_t child = std::size_t{place} * 2 + 1;
      if (child >= heap_.size()) break;
      if (child + 1 < heap_.size() &&
          heap_[child + 1].when < heap_[child].when) {
        ++child;
      }
      if (heap_[child].when >= node.when) break;
      Put(place, heap_[child]);
      place = static_cast<std::uint32_t>(child);
    }
    Put(place, node);
  }

  std::vector<Node> heap_;
  std::vector<std::uint32_t> places_;
};

}  // namespace cirro::internal
