#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "cirro/dispatch/schema.h"

namespace cirro {
namespace {

Outcome ToOutcome(const Error& error) {
  return IsRetryable(error.code) ? Retry(error.message) : Reject(error.message);
}

class SchemaChecked final : public Handler {
 public:
  SchemaChecked(std::unique_ptr<Handler> handler,
                std::unique_ptr<const SchemaValidator> validator)
      : Handler(handler->form()),
        handler_(std::move(handler)),
        validator_(std::move(validator)) {}

  Outcome Single(const Event& event, Context& context) override {
    const Result<void> fits = validator_->Validate(event);
    return fits ? handler_->Single(event, context) : ToOutcome(fits.error());
  }

  std::vector<Outcome> Batch(std::span<const Event> events,
                             Context& context) override;

  void Async(const Event& event, Context& context,
             Completion completion) override {
    const Result<void> fits = validator_->Validate(event);
    if (!fits) return completion.Finish(ToOutcome(fits.error()));
    handler_->Async(event, context, std::move(completion));
  }

 private:
  const std::unique_ptr<Handler> handler_;
  const std::unique_ptr<const SchemaValidator> validator_;
};

std::vector<Outcome> SchemaChecked::Batch(std::span<const Event> events,
                                          Context& context) {
  std::vector<std::optional<Outcome>> refused(events.size());
  std::vector<Event> fitting;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const Result<void> fits = validator_->Validate(events[i]);
    if (fits) {
      fitting.push_back(events[i]);
    } else {
      refused[i] = ToOutcome(fits.error());
    }
  }
  if (fitting.size() == events.size()) return handler_->Batch(events, context);

  std::vector<Outcome> answers;
  if (!fitting.empty()) answers = handler_->Batch(fitting, context);
  // A wrong count must not look right by chance: the dispatcher fails all.
  if (answers.size() != fitting.size()) return {};
  std::vector<Outcome> all;
  all.reserve(events.size());
  auto answer = answers.begin();
  for (std::optional<Outcome>& outcome : refused) {
    all.push_back(outcome ? *std::move(outcome) : std::move(*answer++));
  }
  return all;
}

}  // namespace

std::unique_ptr<Handler> MakeSchemaChecked(
    std::unique_ptr<Handler> handler,
    std::unique_ptr<const SchemaValidator> validator) {
  return std::make_unique<SchemaChecked>(std::move(handler),
                                         std::move(validator));
}

}  // namespace cirro
