#pragma once

#include "cirro/cloudevents/result.h"
#include "cirro/http_client/http_client.h"

namespace cirro::internal::http_client {

/// HttpClientApi::post.
[[nodiscard]] Result<HttpAnswer> Post(const HttpPost& request);

}  // namespace cirro::internal::http_client
