#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "metrics.h"

namespace cirro::internal {

/// Writes Prometheus' text format, version 0.0.4. By hand: the library for it
/// costs 0.11 ms at every start, and its counters are not used.
class Exposition {
 public:
  using Labels =
      std::initializer_list<std::pair<std::string_view, std::string_view>>;

  /// Begins the samples of `metric`.
  void Family(const Metric& metric);
  void Sample(const Labels& labels, std::uint64_t value);
  void Sample(const Labels& labels, double value);
  /// One histogram: `buckets` has one number for each of `bounds` and one for
  /// what is above, not added up.
  void Samples(const Labels& labels, std::span<const double> bounds,
               std::span<const std::uint64_t> buckets, double sum);

  [[nodiscard]] std::string Take() && { return std::move(text_); }

 private:
  void Line(std::string_view suffix, const Labels& labels,
            std::string_view bound, const std::string& value);

  std::string text_;
  std::string name_;
};

}  // namespace cirro::internal
