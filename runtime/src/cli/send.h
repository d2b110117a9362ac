#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace cirro::cli {

/// `cirro send`, as it was typed.
struct SendOptions {
  std::string url;
  std::string outlet;  ///< Instead of a URL: an outlet of the configuration.
  std::string config;  ///< The file with it; empty: cirro.toml.
  std::string mode;    ///< Empty: binary, or the outlet's own.
  std::string id;      ///< Empty: a random one.
  std::string source = "/cirro/send";
  std::string type;
  std::string subject;
  std::string time;  ///< Empty: now.
  std::string dataschema;
  std::optional<std::string> data;
  std::string data_file;  ///< "-" is the standard input.
  std::string content_type;
  std::vector<std::string> extensions;  ///< "name=value".
  std::vector<std::string> headers;     ///< "name=value".
  int count = 1;
  double timeout_seconds = 20;
};

/// Sends; prints each reply event as JSON, a line each, and on stderr the
/// statuses. Returns the exit code.
int Send(const SendOptions& options);

}  // namespace cirro::cli
