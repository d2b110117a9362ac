#pragma once

#include <CLI/CLI.hpp>

#include "dlq.h"

namespace cirro::cli {

/// `cirro dlq` and its verbs: their flags, and what each calls.
class DlqCommand {
 public:
  /// REQUIRES: `parent` outlives *this, and parses while it lives.
  explicit DlqCommand(CLI::App& parent);
  DlqCommand(const DlqCommand&) = delete;
  DlqCommand& operator=(const DlqCommand&) = delete;

  [[nodiscard]] const CLI::App& app() const { return dlq_; }

  /// Does what was parsed; the exit code.
  [[nodiscard]] int Call() const;

 private:
  CLI::App* AddVerb(const char* name, const char* what);
  // One with the flags that say which letters are meant.
  CLI::App* AddVerbOnMany(const char* name, const char* what);
  void AddRedrive();
  void AddPurge();

  DlqOptions options_;
  CLI::App& dlq_;
  CLI::App* list_ = nullptr;
  CLI::App* show_ = nullptr;
  CLI::App* redrive_ = nullptr;
  CLI::App* purge_ = nullptr;
};

}  // namespace cirro::cli
