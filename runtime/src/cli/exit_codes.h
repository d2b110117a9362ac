#pragma once

namespace cirro::cli {

/// How the command ends. 66 to 78 are those of sysexits.h; 126 and 127 are what
/// shells use.
enum ExitCode : int {
  kOk = 0,
  kFailed = 1,        ///< The receiver refused the event, or the build failed.
  kWrongUse = 2,      ///< Wrong command, flag or value.
  kNoInput = 66,      ///< A file cannot be read.
  kUnavailable = 69,  ///< The receiver cannot be reached.
  kInternal = 70,     ///< A mistake of cirro itself.
  kCannotCreate = 73,
  kNotWritten = 74,  ///< What was asked for could not be written to stdout.
  kTryLater = 75,    ///< Not now: overloaded, draining, timed out.
  kBadConfig = 78,
  kCannotRun = 126,
  kNotFound = 127,
};

inline constexpr const char* kExitCodesHelp =
    "Exit codes: 0 done, 1 refused or failed, 2 wrong use, 66 no input file,\n"
    "69 receiver not reached, 70 internal, 73 cannot create, 74 output not\n"
    "written, 75 try later, 78 wrong configuration, 126 and 127 no program to\n"
    "run.";

}  // namespace cirro::cli
