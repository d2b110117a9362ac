#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/letter_box.h"
#include "dlq.h"

// What the verbs of `cirro dlq`, and `cirro replay`, have in common.
namespace cirro::cli {

/// Fails with kInvalidConfig, naming the flag.
[[nodiscard]] Result<LetterFilter> MakeFilter(const DlqOptions& options);

/// Calls `visit` for the letters that are meant, `limit` at most. Returns the
/// exit code, having said what went wrong.
int WalkLetters(const DlqOptions& options, LetterBox& box,
                const LetterBox::Visit& visit);

/// Opens what the options name; null where `code` says why not, which was said.
[[nodiscard]] std::unique_ptr<LetterBox> OpenBox(const DlqOptions& options,
                                                 int& code);

/// The flags of a process that has this configuration.
[[nodiscard]] std::vector<std::string> FlagsOf(
    const std::string& config, const std::vector<std::string>& settings);

/// The exit code for what a place, or a source, said.
[[nodiscard]] int ExitOfPlace(const Error& error);

/// One letter in a row of the table, and the row above the first.
[[nodiscard]] std::string TableHead();
[[nodiscard]] std::string TableRow(const KeptLetter& kept);

/// Why and whence, as one line of JSON.
[[nodiscard]] std::string SummaryJson(const KeptLetter& kept);
/// All of it, as one line of JSON.
[[nodiscard]] std::string LetterJson(const KeptLetter& kept);

}  // namespace cirro::cli
