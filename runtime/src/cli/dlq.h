#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cirro::cli {

/// `cirro dlq`, as it was typed.
struct DlqOptions {
  std::string place;   ///< `[dead_letter.NAME]` or `[outlet.NAME]`; empty: the
                       ///< only file there is.
  std::string config;  ///< Instead of cirro.toml.
  std::vector<std::string> settings;  ///< SECTION.KEY=VALUE.
  std::string file;                   ///< Of dead letters, without a place.

  // Which letters; empty: any.
  std::string function;
  std::string reason;
  std::string inlet;
  std::string position;
  std::string type;
  std::string source;
  std::string event_id;
  std::string since;  ///< RFC 3339.
  std::string until;  ///< RFC 3339.
  bool redriven = false;
  std::uint64_t limit = 0;  ///< 0: no limit.

  std::string format = "table";
  std::string id;  ///< The one letter of `show`, `purge`.
  bool raw = false;
  std::string to;   ///< The URL of `redrive`; empty: where it came from.
  double rate = 0;  ///< Letters a second; 0: no limit.
  double timeout_seconds = 20;
  bool dry_run = false;
  bool keep_going = false;
  bool yes = false;
};

/// The letters, a line each, in the order that they came in.
int DlqList(const DlqOptions& options);

/// One letter with all that is kept of it, as JSON; or its bytes alone.
int DlqShow(const DlqOptions& options);

/// Sends each letter to a URL, or back to where it came from, in the order that
/// they came in and for the one function that it died of; marks it when that
/// was confirmed. Ends at the first that is not taken: run again, it goes on
/// there.
int DlqRedrive(const DlqOptions& options);

/// Removes letters for good.
int DlqPurge(const DlqOptions& options);

}  // namespace cirro::cli
