#include "cirro/dispatch/delivery.h"

#include <algorithm>
#include <cassert>

#include "cirro/cloudevents/extensions.h"
#include "cirro/cloudevents/utf8.h"

namespace cirro {
namespace {

// W3C Trace Context, "tracestate Limits": "Vendors SHOULD propagate at least
// 512 characters of a combined header", and where it is more, "entries larger
// than 128 characters long SHOULD be removed first", then those at the end.
// Each event of a batch and each of its replies has a copy.
constexpr std::size_t kMaxTracestate = 512;
constexpr std::size_t kLongEntry = 128;

std::string Bounded(std::string_view tracestate) {
  if (tracestate.size() <= kMaxTracestate) return std::string(tracestate);
  std::string kept;
  while (!tracestate.empty()) {
    const std::string_view entry = tracestate.substr(0, tracestate.find(','));
    tracestate.remove_prefix(std::min(entry.size() + 1, tracestate.size()));
    if (entry.size() > kLongEntry) continue;
    if (kept.size() + 1 + entry.size() > kMaxTracestate) break;
    if (!kept.empty()) kept += ',';
    kept += entry;
  }
  return kept;
}

}  // namespace

TraceContext TraceContextOf(std::string_view traceparent,
                            std::string_view tracestate, const Event* event) {
  if (!traceparent.empty() && ParseTraceParent(traceparent) &&
      IsAttributeString(traceparent)) {
    return {std::string(traceparent),
            Bounded(IsAttributeString(tracestate) ? tracestate : "")};
  }
  if (event == nullptr) return {};
  const auto own = event->extension("traceparent");
  if (!own) return {};
  return {std::string(*own),
          Bounded(event->extension("tracestate").value_or(""))};
}

std::string Settler::PositionOf(DeliveryToken /*token*/) const { return {}; }

Delivery::Delivery(Event event, const InletInfo& inlet, Settler& settler,
                   DeliveryToken token)
    : content_(std::move(event)),
      inlet_(&inlet),
      settler_(&settler),
      token_(token) {}

Delivery::Delivery(Malformed malformed, const InletInfo& inlet,
                   Settler& settler, DeliveryToken token)
    : content_(std::make_shared<const Malformed>(std::move(malformed))),
      inlet_(&inlet),
      settler_(&settler),
      token_(token) {}

Delivery::Delivery(Delivery&& other) noexcept
    : facts(std::move(other.facts)),
      content_(std::move(other.content_)),
      inlet_(other.inlet_),
      settler_(other.settler_),
      token_(other.token_),
      duty_(std::exchange(other.duty_, false)) {}

Delivery& Delivery::operator=(Delivery&& other) noexcept {
  if (this != &other) {
    GiveBack();
    facts = std::move(other.facts);
    content_ = std::move(other.content_);
    inlet_ = other.inlet_;
    settler_ = other.settler_;
    token_ = other.token_;
    duty_ = std::exchange(other.duty_, false);
  }
  return *this;
}

Delivery::~Delivery() { GiveBack(); }

Delivery::Delivery(const Delivery& other, bool with_duty)
    : facts(other.facts),
      content_(other.content_),
      inlet_(other.inlet_),
      settler_(other.settler_),
      token_(other.token_),
      duty_(with_duty) {}

Delivery Delivery::Content() const { return {*this, false}; }

Delivery Delivery::TakeDuty() { return {*this, std::exchange(duty_, false)}; }

const Event* Delivery::event() const noexcept {
  return std::get_if<Event>(&content_);
}

const Malformed* Delivery::malformed() const noexcept {
  const auto* const held =
      std::get_if<std::shared_ptr<const Malformed>>(&content_);
  return held == nullptr ? nullptr : held->get();
}

std::string Delivery::position() const { return settler_->PositionOf(token_); }

std::size_t Delivery::memory_size() const noexcept {
  const auto sum = [](const MessageHeaders& headers) {
    std::size_t bytes = 0;
    for (const auto& [name, value] : headers) {
      bytes += sizeof headers.front() + name.size() + value.size();
    }
    return bytes;
  };
  std::size_t content = 0;
  if (event() != nullptr) {
    content = event()->memory_size();
  } else {
    content = malformed()->bytes.size() + sum(malformed()->headers);
  }
  if (facts.original != nullptr) {
    const Original& original = *facts.original;
    content += sizeof original + sum(original.headers);
    if (original.bytes) content += original.bytes->size();
  }
  return content + facts.key.size() + facts.trace.traceparent.size() +
         facts.trace.tracestate.size();
}

void Delivery::Settle(Settlement settlement) noexcept {
  assert(!settled());
  duty_ = false;
  settler_->Settle(token_, std::move(settlement));
}

void Delivery::GiveBack() noexcept {
  if (settled()) return;
  Settle({.kind = Settlement::Kind::kNak,
          .error = Error{ErrorCode::kInternal, "the delivery was dropped"}});
}

}  // namespace cirro
