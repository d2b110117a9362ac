#include "dlq_command.h"

#include "event_flags.h"

namespace cirro::cli {

DlqCommand::DlqCommand(CLI::App& parent)
    : dlq_(*parent.add_subcommand(
          "dlq", "List, show, redrive and purge dead letters")) {
  dlq_.require_subcommand(1);
  list_ = AddVerbOnMany("list", "A line each, in the original order");
  show_ = AddVerb("show", "One, with all that is kept of it, as JSON");
  show_->add_option("ID", options_.id, "As list shows it")->required();
  show_->add_flag("--raw", options_.raw, "The message's bytes alone");
  AddRedrive();
  AddPurge();
  for (CLI::App* const verb : {redrive_, purge_}) {
    verb->add_flag("--dry-run", options_.dry_run, "Show which, and do nothing");
  }
}

CLI::App* DlqCommand::AddVerb(const char* name, const char* what) {
  CLI::App* const verb = dlq_.add_subcommand(name, what);
  CLI::Option* const place = verb->add_option(
      "--place", options_.place,
      "NAME of [dead_letter.NAME], or of an [outlet.NAME] that is a topic or "
      "stream; default: the only one in use, or the only file there is");
  verb->add_option("--config", options_.config, "Instead of cirro.toml");
  verb->add_option("--set", options_.settings,
                   "SECTION.KEY=VALUE, as a function's flag; may be repeated")
      ->allow_extra_args(false);
  verb->add_option("--file", options_.file,
                   "A file of dead letters, whatever is configured")
      ->excludes(place);
  return verb;
}

CLI::App* DlqCommand::AddVerbOnMany(const char* name, const char* what) {
  CLI::App* const verb = AddVerb(name, what);
  DlqOptions& of = options_;
  verb->add_option("--function,-f", of.function, "That died of it");
  verb->add_option("--reason", of.reason)
      ->check(CLI::IsMember(
          {"exhausted", "rejected", "malformed", "unmatched", "crashed"}));
  verb->add_option("--inlet", of.inlet, "That it came through");
  verb->add_option("--position", of.position,
                   "orders/3@1234, or all of orders/3");
  verb->add_option("--type,-t", of.type, "The event's type");
  verb->add_option("--source", of.source, "The event's source");
  verb->add_option("--id", of.event_id, "The event's id");
  verb->add_option("--since", of.since, "RFC 3339");
  verb->add_option("--until", of.until, "RFC 3339; before it");
  verb->add_flag("--redriven", of.redriven, "Also those redriven already");
  AddLimit(*verb, of.limit);
  verb->add_option("--format", of.format, "table, or json: a line each")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  return verb;
}

void DlqCommand::AddRedrive() {
  redrive_ = AddVerbOnMany(
      "redrive",
      "Send them again, in the original order, each to the function that it "
      "died of: back to the topic or stream that it came from, or by HTTP "
      "(http.redrive = true there); marks what was confirmed and ends at the "
      "first that is not taken. Run again, it goes on there");
  redrive_->add_option("--to", options_.to,
                       "A receiver's URL; default: where each came from");
  redrive_->add_option("--rate", options_.rate, "Letters a second at most")
      ->check(CLI::PositiveNumber);
  AddTimeout(*redrive_, options_.timeout_seconds);
  redrive_->add_flag("--keep-going", options_.keep_going,
                     "Pass over what is refused; the order is lost");
}

void DlqCommand::AddPurge() {
  purge_ = AddVerbOnMany("purge", "Remove them for good");
  purge_->add_option("ID", options_.id, "This one");
  purge_->add_flag("--yes", options_.yes, "Do it");
}

int DlqCommand::Call() const {
  if (list_->parsed()) return DlqList(options_);
  if (show_->parsed()) return DlqShow(options_);
  if (redrive_->parsed()) return DlqRedrive(options_);
  return DlqPurge(options_);
}

}  // namespace cirro::cli
