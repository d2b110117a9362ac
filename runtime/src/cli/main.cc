// The `cirro` command: what its flags are.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/module/module.h"
#include "cirro/runtime/command.h"
#include "dlq_command.h"
#include "event_flags.h"
#include "listen.h"
#include "replay.h"
#include "run.h"
#include "say.h"
#include "scaffold.h"
#include "send.h"
#include "standard_streams.h"
#include "words.h"

namespace cirro::cli {
namespace {

// The flags and what came of them. The options outlive every parse.
class Command {
 public:
  Command() {
    app_.require_subcommand(1);
    app_.set_version_flag("--version", "cirro " CIRRO_VERSION);
    app_.footer(kExitCodesHelp);
    AddRun();
    AddSend();
    AddDlq();
    AddReplay();
    AddListen();
    AddNew();
    AddConfig();
    AddMetrics();
    AddBrokers();
    AddVersion();
    AddCompletion();
  }

  int Main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (const std::string wrong = Misspelt(words_, arguments); !wrong.empty()) {
      return Fail(kWrongUse, wrong);
    }
    if (!arguments.empty() && arguments[0] == "run" && ReadRun(arguments)) {
      return Run(run_options_);
    }
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      const int code = app_.exit(error);  // Prints help, or what is wrong.
      return code == 0 ? kOk : kWrongUse;
    }
    return Call();
  }

 private:
  // A subcommand, and what the words need to know of it. The options must have
  // been added: `choices` says what may stand behind some of them.
  void Know(
      const CLI::App& command, std::string values,
      const std::vector<std::pair<std::string, std::string>>& choices = {},
      bool passes_on = false) {
    CommandWords words{command.get_name(), {}, std::move(values), passes_on};
    std::vector<const CLI::Option*> options = command.get_options();
    // A verb's flags are known with all verbs, whose own parser is strict.
    for (const CLI::App* verb : command.get_subcommands({})) {
      const auto of_verb = verb->get_options();
      options.insert(options.end(), of_verb.begin(), of_verb.end());
    }
    for (const CLI::Option* option : options) {
      FlagWords flag;
      for (const std::string& name : option->get_lnames()) {
        flag.names.push_back("--" + name);
      }
      for (const std::string& name : option->get_snames()) {
        flag.names.push_back("-" + name);
      }
      if (flag.names.empty()) continue;
      flag.takes_value = option->get_items_expected_max() > 0;
      for (const auto& [name, values_of] : choices) {
        if (name == flag.names[0]) flag.values = values_of;
      }
      words.flags.push_back(std::move(flag));
    }
    words_.push_back(std::move(words));
  }

  // `run [--program NAME] [TARGET] FLAGS..`: the flags are the program's, so
  // they cannot be read by this command's rules. False where help is wanted.
  bool ReadRun(const std::vector<std::string>& arguments) {
    std::size_t at = 1;
    const auto next = [&]() -> const std::string* {
      return at < arguments.size() ? &arguments[at] : nullptr;
    };
    constexpr std::string_view kProgram = "--program=";
    if (next() != nullptr && next()->starts_with(kProgram)) {
      run_options_.program = next()->substr(kProgram.size());
      ++at;
    } else if (next() != nullptr && *next() == "--program") {
      ++at;
      if (next() == nullptr) return false;
      run_options_.program = arguments[at++];
    }
    if (next() != nullptr && (*next() == "--help" || *next() == "-h")) {
      return false;
    }
    if (next() != nullptr && !next()->starts_with('-')) {
      run_options_.target = arguments[at++];
    }
    while (next() != nullptr) run_options_.flags.push_back(arguments[at++]);
    return true;
  }

  void AddRun() {
    run_ = app_.add_subcommand(
        "run",
        "Build the project of a folder (or take a program) and serve its "
        "functions on 127.0.0.1: cirro run --port 9000");
    run_->add_option("--program", run_options_.program,
                     "Which one, where a project has several");
    run_->add_option("TARGET", run_options_.target,
                     "A program, or a folder with a CMakeLists.txt")
        ->capture_default_str();
    run_->add_option("FLAGS", run_options_.flags,
                     "Of the program; see its "
                     "own --help");
    Know(*run_, "FILE", {}, /*passes_on=*/true);
  }

  void AddSend() {
    send_ = app_.add_subcommand(
        "send",
        "Send an event by HTTP, to a broker, or through an outlet; print each "
        "reply event as JSON, and on stderr the status");
    SendOptions& to = send_options_;
    send_->add_option("URL", to.url,
                      "http://.., https://.., kafka://HOST:PORT/TOPIC or "
                      "nats://HOST:PORT/SUBJECT");
    send_->add_option("--outlet", to.outlet,
                      "Instead: an outlet of the configuration, by its NAME");
    send_->add_option("--config", to.config, "Instead of cirro.toml");
    send_->add_option("--type,-t", to.type, "The event's type")->required();
    send_
        ->add_option("--mode", to.mode,
                     "binary, structured or batch; default: binary")
        ->check(CLI::IsMember({"binary", "structured", "batch"}));
    send_->add_option("--id", to.id, "Default: a random UUID");
    send_->add_option("--source", to.source, "A URI reference")
        ->capture_default_str();
    send_->add_option("--subject", to.subject);
    send_->add_option("--time", to.time, "RFC 3339; default: now");
    send_->add_option("--dataschema", to.dataschema, "A URI");
    CLI::Option* const data =
        send_->add_option("--data,-d", to.data, "The data itself");
    send_
        ->add_option("--data-file", to.data_file,
                     "The data from a file; - is the standard input")
        ->excludes(data);
    send_->add_option("--content-type", to.content_type,
                      "Default: application/json where the data is JSON, else "
                      "text/plain or application/octet-stream");
    send_
        ->add_option("--extension,-e", to.extensions,
                     "NAME=VALUE, an extension attribute; may be repeated")
        ->allow_extra_args(false);
    send_
        ->add_option("--header,-H", to.headers,
                     "NAME=VALUE, a header; may be repeated")
        ->allow_extra_args(false);
    send_->add_option("--count,-n", to.count, "How many events")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    AddTimeout(*send_, to.timeout_seconds);
    Know(*send_, "",
         {{"--config", "FILE"},
          {"--mode", "binary structured batch"},
          {"--data-file", "FILE"},
          {"--content-type",
           "application/json text/plain application/octet-stream"}});
  }

  void AddDlq() {
    dlq_.emplace(app_);
    Know(dlq_->app(), "list show redrive purge",
         {{"--file", "FILE"},
          {"--config", "FILE"},
          {"--reason", "exhausted rejected malformed unmatched crashed"},
          {"--format", "table json"}});
  }

  void AddReplay() {
    replay_ = app_.add_subcommand(
        "replay",
        "Send what a topic or stream still has to one function of a receiver "
        "(http.redrive = true there), in its order (partitions by time), each "
        "when the one before was confirmed; consumer groups and durables are "
        "left alone. Ends at the first that is not taken, and says where to "
        "go on");
    ReplayOptions& of = replay_options_;
    replay_->add_option("--inlet", of.inlet,
                        "NAME of [inlet.NAME], whose topics or stream it is; "
                        "default: the only one");
    replay_->add_option("--config", of.config, "Instead of cirro.toml");
    replay_
        ->add_option("--set", of.settings,
                     "SECTION.KEY=VALUE, as a function's flag; may be repeated")
        ->allow_extra_args(false);
    replay_
        ->add_option("--from", of.from,
                     "beginning, an offset or sequence, a time (RFC 3339), or "
                     "positions: orders/3@1234,orders/4@99")
        ->required();
    replay_
        ->add_option(
            "--until", of.until,
            "As --from, or end, which is where it is now; not included")
        ->capture_default_str();
    replay_->add_option("--partition", of.partition, "Of Kafka: this one alone")
        ->check(CLI::NonNegativeNumber);
    replay_->add_option("--function,-f", of.function, "Who gets them");
    replay_->add_option("--to", of.to, "The receiver's URL");
    replay_->add_option("--type,-t", of.type,
                        "The event's type; com.example.*: all that begin so");
    replay_->add_option("--subject", of.subject, "The event's subject");
    replay_->add_option("--source", of.source, "The event's source");
    replay_->add_option("--id", of.event_id, "The event's id");
    AddLimit(*replay_, of.limit);
    replay_->add_option("--rate", of.rate, "Events a second at most")
        ->check(CLI::PositiveNumber);
    AddTimeout(*replay_, of.timeout_seconds);
    replay_->add_flag("--keep-going", of.keep_going,
                      "Pass over what is refused");
    replay_->add_flag("--dry-run", of.dry_run,
                      "Show which, a line of JSON each, and do nothing");
    Know(*replay_, "", {{"--config", "FILE"}, {"--from", "beginning"}});
  }

  void AddListen() {
    listen_ = app_.add_subcommand(
        "listen", "Print the events of a topic or subject as they come");
    ListenOptions& to = listen_options_;
    listen_
        ->add_option("URL", to.url,
                     "kafka://HOST:PORT/TOPIC or nats://HOST:PORT/SUBJECT")
        ->required();
    listen_->add_option("--group", to.group,
                        "A consumer group of Kafka, whose place is moved; "
                        "default: one of its own");
    listen_->add_option(
        "--from", to.from,
        "Of Kafka: beginning, end, an offset, or an RFC 3339 time; "
        "default: end");
    listen_->add_option("--count,-n", to.count, "End after so many events")
        ->check(CLI::Range(1, 1'000'000'000));
    listen_
        ->add_option("--set", to.settings,
                     "KEY=VALUE of [inlet.NAME]; may be repeated")
        ->allow_extra_args(false);
    Know(*listen_, "", {{"--from", "beginning end"}});
  }

  void AddNew() {
    new_ = app_.add_subcommand("new", "Write a function project to begin with");
    new_->add_option("NAME", name_, "[a-z][a-z0-9_-]*")->required();
    new_->add_option("--dir", folder_, "Where to; default: NAME");
    Know(*new_, "", {{"--dir", "FILE"}});
  }

  void AddConfig() {
    config_ = app_.add_subcommand(
        "config",
        "Show every setting that a function started here would have, and "
        "where each comes from");
    config_->add_flag("--print", print_, "Show them (the default)");
    config_->add_flag("--markdown", markdown_,
                      "Describe all settings: docs/configuration.md");
    config_->add_option("--config", file_, "Instead of cirro.toml");
    config_
        ->add_option("--set", settings_,
                     "SECTION.KEY=VALUE, as a function's flag; may be repeated")
        ->allow_extra_args(false);
    Know(*config_, "", {{"--config", "FILE"}});
  }

  void AddMetrics() {
    metrics_ = app_.add_subcommand(
        "metrics", "Describe the metrics that every function serves");
    metrics_->add_flag("--markdown", markdown_,
                       "As docs/metrics.md (the default)");
    Know(*metrics_, "");
  }

  void AddBrokers() {
    brokers_ = app_.add_subcommand(
        "brokers", "Show what each inlet and outlet is able to do");
    brokers_->add_flag("--markdown", markdown_,
                       "As in docs/brokers.md (the default)");
    Know(*brokers_, "");
  }

  void AddVersion() {
    version_ = app_.add_subcommand(
        "version", "Show the version, and what modules must have in common");
    Know(*version_, "");
  }

  void AddCompletion() {
    completion_ = app_.add_subcommand(
        "completion", "Print a script that completes commands and flags");
    completion_->add_option("SHELL", shell_, "bash")
        ->required()
        ->check(CLI::IsMember({"bash"}));
    Know(*completion_, "bash");
  }

  int Call() {
    if (send_->parsed()) return Send(send_options_);
    if (dlq_->app().parsed()) return dlq_->Call();
    if (replay_->parsed()) return ReplayEvents(replay_options_);
    if (listen_->parsed()) return Listen(listen_options_);
    if (new_->parsed()) return New(name_, folder_);
    if (config_->parsed() && !markdown_) return ShowConfig();
    if (config_->parsed() || metrics_->parsed()) {
      const std::string page =
          config_->parsed() ? ConfigurationPage() : MetricsPage();
      std::fputs(page.c_str(), stdout);
      return kOk;
    }
    if (brokers_->parsed()) {
      const auto page = BrokersPage();
      if (!page) return Fail(kWrongUse, page.error().message);
      std::fputs(page->c_str(), stdout);
      return kOk;
    }
    if (version_->parsed()) {
      std::puts("cirro " CIRRO_VERSION "\nabi   " CIRRO_ABI_TAG);
      return kOk;
    }
    std::fputs(BashCompletion(words_).c_str(), stdout);
    return kOk;
  }

  int ShowConfig() {
    std::vector<std::string> flags;
    if (!file_.empty()) flags.push_back("--config=" + file_);
    for (const std::string& setting : settings_) {
      flags.push_back("--set=" + setting);
    }
    const auto text = DescribeConfiguration(flags);
    if (!text) return Fail(kBadConfig, text.error().message);
    std::fputs(text->c_str(), stdout);
    return kOk;
  }

  CLI::App app_{"Runs, feeds and starts CloudEvents functions.", "cirro"};
  CLI::App* run_ = nullptr;
  CLI::App* send_ = nullptr;
  CLI::App* replay_ = nullptr;
  CLI::App* listen_ = nullptr;
  CLI::App* new_ = nullptr;
  CLI::App* config_ = nullptr;
  CLI::App* metrics_ = nullptr;
  CLI::App* brokers_ = nullptr;
  CLI::App* version_ = nullptr;
  CLI::App* completion_ = nullptr;
  std::optional<DlqCommand> dlq_;
  RunOptions run_options_;
  SendOptions send_options_;
  ReplayOptions replay_options_;
  ListenOptions listen_options_;
  std::string name_;
  std::string folder_;
  bool print_ = false;
  bool markdown_ = false;
  std::string file_;
  std::vector<std::string> settings_;
  std::string shell_;
  std::vector<CommandWords> words_;
};

}  // namespace
}  // namespace cirro::cli

int main(int argc, char** argv) {
  cirro::internal::OpenStandardStreams();
  // A reader that goes away (| head) or a peer is an error, not the end.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    const int code = cirro::cli::Command().Main(argc, argv);
    const auto written = cirro::internal::FlushStandardOutput();
    if (written) return code;
    // Whoever read (| head) has enough, and needs no word.
    if (!cirro::internal::NobodyReads(STDOUT_FILENO)) {
      cirro::cli::Fail(cirro::cli::kNotWritten, written.error().message);
    }
    return code == cirro::cli::kOk ? cirro::cli::kNotWritten : code;
  } catch (const std::exception& error) {
    return cirro::cli::Fail(cirro::cli::kInternal, error.what());
  }
}
