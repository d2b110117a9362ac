#include "dlq.h"

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "answer.h"
#include "letters.h"
#include "say.h"

namespace cirro::cli {
namespace {

void PrintLetter(const DlqOptions& options, const KeptLetter& kept) {
  PrintLine(stdout,
            options.format == "json" ? SummaryJson(kept) : TableRow(kept));
}

// The message's own bytes: the whole body of a structured message, else its
// data.
std::string_view BytesOf(const DeadLetter& letter) {
  if (letter.original != nullptr && letter.original->bytes) {
    return *letter.original->bytes;
  }
  if (const auto* event = std::get_if<Event>(&letter.content)) {
    return event->data();
  }
  return std::get<Malformed>(letter.content).bytes;
}

int PurgeOne(const DlqOptions& options, LetterBox& box) {
  const auto removed = box.Remove(options.id);
  if (!removed) {
    return Fail(static_cast<ExitCode>(ExitOfPlace(removed.error())),
                removed.error().message);
  }
  if (!*removed) return Fail(kFailed, "there is no letter " + options.id);
  return kOk;
}

}  // namespace

int DlqList(const DlqOptions& options) {
  int code = kOk;
  const auto box = OpenBox(options, code);
  if (box == nullptr) return code;
  if (options.format == "table") PrintLine(stdout, TableHead());
  return WalkLetters(options, *box, [&](const KeptLetter& kept) {
    PrintLetter(options, kept);
    return Result<bool>(std::ferror(stdout) == 0);
  });
}

int DlqShow(const DlqOptions& options) {
  int code = kOk;
  const auto box = OpenBox(options, code);
  if (box == nullptr) return code;
  const auto kept = box->Find(options.id);
  if (!kept) {
    return Fail(static_cast<ExitCode>(ExitOfPlace(kept.error())),
                kept.error().message);
  }
  if (!*kept) return Fail(kFailed, "there is no letter " + options.id);
  if (options.raw) {
    const std::string_view bytes = BytesOf((*kept)->letter);
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
  } else {
    PrintLine(stdout, LetterJson(**kept));
  }
  return kOk;
}

int DlqPurge(const DlqOptions& options) {
  if (!options.yes && !options.dry_run) {
    return Fail(kWrongUse,
                "purge removes letters for good: --dry-run shows which, --yes "
                "does it");
  }
  int code = kOk;
  const auto box = OpenBox(options, code);
  if (box == nullptr) return code;
  if (!options.id.empty() && !options.dry_run) return PurgeOne(options, *box);
  // All at once: some places must know what else is to go.
  std::vector<std::string> ids;
  code = WalkLetters(options, *box, [&](const KeptLetter& kept) {
    if (!options.id.empty() && kept.id != options.id) {
      return Result<bool>(true);
    }
    ids.push_back(kept.id);
    if (options.dry_run) PrintLetter(options, kept);
    return Result<bool>(std::ferror(stdout) == 0);
  });
  std::uint64_t count = ids.size();
  // What cannot be read is not among them, which keeps none of the others.
  if (!options.dry_run && (code == kOk || code == kFailed)) {
    const auto removed = box->RemoveAll(ids);
    if (!removed) {
      return Fail(static_cast<ExitCode>(ExitOfPlace(removed.error())),
                  removed.error().message);
    }
    count = *removed;
  }
  PrintLine(stderr, (options.dry_run ? "would purge " : "purged ") +
                        std::to_string(count));
  return code;
}

}  // namespace cirro::cli
