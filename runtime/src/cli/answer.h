#pragma once

#include <cstdio>
#include <string>

#include "cirro/cloudevents/error.h"
#include "cirro/http_client/http_client.h"

// What a receiver's answer to an event means for the command.
namespace cirro::cli {

/// The exit code for a request that had no answer.
int ExitOf(const Error& error);
/// The exit code for an answer of that status.
int ExitOf(int status);

/// `text` and the end of the line.
void PrintLine(std::FILE* stream, const std::string& text);

/// The reply events on stdout, a line of JSON each; any other body as it is,
/// on stderr.
void PrintBody(const HttpAnswer& answer);

}  // namespace cirro::cli
