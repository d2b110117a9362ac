#include "exposition.h"

#include <array>
#include <charconv>

namespace cirro::internal {
namespace {

std::string_view TypeName(MetricKind kind) {
  switch (kind) {
    case MetricKind::kCounter:
      return "counter";
    case MetricKind::kGauge:
      return "gauge";
    case MetricKind::kHistogram:
      return "histogram";
  }
  return {};
}

std::string Number(double value) {
  std::array<char, 32> digits{};
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

}  // namespace

void Exposition::Family(const Metric& metric) {
  name_ = metric.name;
  text_.append("# HELP ").append(name_).append(" ").append(metric.help);
  text_.append("\n# TYPE ").append(name_).append(" ");
  text_.append(TypeName(metric.kind)).append("\n");
}

void Exposition::Line(std::string_view suffix, const Labels& labels,
                      std::string_view bound, const std::string& value) {
  text_.append(name_).append(suffix);
  char separator = '{';
  const auto add = [&](std::string_view name, std::string_view text) {
    text_ += separator;
    separator = ',';
    text_.append(name).append("=\"");
    for (const char c : text) {
      if (c == '\n') {
        text_ += "\\n";
        continue;
      }
      if (c == '\\' || c == '"') text_ += '\\';
      text_ += c;
    }
    text_ += '"';
  };
  for (const auto& [name, text] : labels) add(name, text);
  if (!bound.empty()) add("le", bound);
  if (separator == ',') text_ += '}';
  text_.append(" ").append(value).append("\n");
}

void Exposition::Sample(const Labels& labels, std::uint64_t value) {
  Line({}, labels, {}, std::to_string(value));
}

void Exposition::Sample(const Labels& labels, double value) {
  Line({}, labels, {}, Number(value));
}

void Exposition::Samples(const Labels& labels, std::span<const double> bounds,
                         std::span<const std::uint64_t> buckets, double sum) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    count += buckets[i];
    Line("_bucket", labels, i < bounds.size() ? Number(bounds[i]) : "+Inf",
         std::to_string(count));
  }
  Line("_sum", labels, {}, Number(sum));
  Line("_count", labels, {}, std::to_string(count));
}

}  // namespace cirro::internal
