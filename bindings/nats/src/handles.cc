#include "handles.h"

#include <cstddef>

namespace cirro::internal::nats {

std::string NewInbox() {
  natsInbox* inbox = nullptr;
  if (natsInbox_Create(&inbox) != NATS_OK) return {};
  std::string subject(inbox);
  natsInbox_Destroy(inbox);
  return subject;
}

std::string WithoutPlace(std::string_view text) {
  const std::size_t end = text.find("): ");
  if (text.starts_with('(') && end != std::string_view::npos) {
    text.remove_prefix(end + 3);
  }
  return std::string(text);
}

std::string Explain(const std::string& what, natsStatus status) {
  natsStatus last = NATS_OK;
  const char* const detail = nats_GetLastError(&last);
  std::string text = what + ": " + natsStatus_GetText(status);
  if (last == status && detail != nullptr && *detail != '\0') {
    text += " (" + WithoutPlace(detail) + ")";
  }
  return text;
}

}  // namespace cirro::internal::nats
