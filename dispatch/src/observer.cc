#include "cirro/dispatch/observer.h"

namespace cirro {

void Observer::Retrying(std::string_view /*function*/,
                        const Delivery& /*delivery*/, int /*next_attempt*/,
                        std::chrono::milliseconds /*delay*/) noexcept {}
void Observer::Kept(std::string_view /*function*/, const Delivery& /*delivery*/,
                    DeadReason /*reason*/, const Error& /*error*/) noexcept {}
void Observer::Dropped(std::string_view /*function*/,
                       const Delivery& /*delivery*/, DeadReason /*reason*/,
                       const Error& /*error*/) noexcept {}
void Observer::Buried(const DeadLetterFacts& /*facts*/,
                      const Delivery& /*delivery*/,
                      std::string_view /*place*/) noexcept {}
void Observer::NotBuried(const DeadLetterFacts& /*facts*/,
                         const Delivery& /*delivery*/,
                         std::string_view /*place*/, const Error& /*error*/,
                         bool /*stalled*/) noexcept {}
void Observer::Duplicate(std::string_view /*function*/,
                         const Delivery& /*delivery*/) noexcept {}
void Observer::Lost(std::string_view /*part*/,
                    std::uint64_t /*messages*/) noexcept {}
void Observer::Held(std::string_view /*part*/, std::string_view /*partition*/,
                    bool /*waits*/) noexcept {}
void Observer::Noted(LogLevel /*level*/, std::string_view /*part*/,
                     std::string_view /*message*/) noexcept {}
void Observer::Failed(std::string_view /*part*/,
                      const Error& /*error*/) noexcept {}

}  // namespace cirro
