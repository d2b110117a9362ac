#pragma once

#include <memory>

#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/letter_box.h"
#include "cirro/dispatch/observer.h"
#include "cirro/kafka/outlet_options.h"

namespace cirro::internal::kafka {

/// KafkaApi::open_box.
[[nodiscard]] Result<std::unique_ptr<LetterBox>> OpenKafkaBox(
    const KafkaOutletOptions& options, Observer& observer);

}  // namespace cirro::internal::kafka
