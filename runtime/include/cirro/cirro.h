#pragma once

/// What a function author includes: Event and EventBuilder, the outcomes Done,
/// Reply, Retry and Reject, Context, Completion, and App, which runs it all.
/// Typed functions include <cirro/json.h> beside it.

#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/event_builder.h"
#include "cirro/cloudevents/event_draft.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/completion.h"
#include "cirro/dispatch/context.h"
#include "cirro/dispatch/function.h"
#include "cirro/dispatch/outcome.h"
#include "cirro/runtime/app.h"
