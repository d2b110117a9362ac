#include "words.h"

#include <algorithm>
#include <cstddef>

namespace cirro::cli {
namespace {

// Keystrokes (insert, delete, replace, swap neighbours) between two words.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({last[j] + 1, now[j - 1] + 1,
                         last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = std::min(now[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(now);
  }
  return last[b.size()];
}

// "; did you mean X?", or nothing where no candidate is near.
std::string DidYouMean(std::string_view word,
                       const std::vector<std::string>& candidates) {
  std::size_t best = std::max<std::size_t>(2, word.size() / 3) + 1;
  std::string nearest;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = Distance(word, candidate);
    if (distance >= best) continue;
    best = distance;
    nearest = candidate;
  }
  return nearest.empty() ? "" : "; did you mean " + nearest + "?";
}

const FlagWords* FindFlag(const CommandWords& command, std::string_view name) {
  for (const FlagWords& flag : command.flags) {
    if (std::find(flag.names.begin(), flag.names.end(), name) !=
        flag.names.end()) {
      return &flag;
    }
  }
  return nullptr;
}

std::string MisspeltFlag(const CommandWords& command,
                         const std::vector<std::string>& arguments) {
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") return {};
    if (argument.size() < 2 || argument[0] != '-') continue;
    const std::size_t equals = argument.find('=');
    // -ekey=value is -e with its value.
    const std::string name =
        argument[1] == '-' ? argument.substr(0, equals) : argument.substr(0, 2);
    const FlagWords* const flag = FindFlag(command, name);
    if (flag == nullptr) {
      std::vector<std::string> names;
      for (const FlagWords& known : command.flags) {
        names.insert(names.end(), known.names.begin(), known.names.end());
      }
      return "cirro " + command.name + " knows no " + name +
             DidYouMean(name, names);
    }
    const bool has_value =
        argument[1] == '-' ? equals != std::string::npos : argument.size() > 2;
    if (flag->takes_value && !has_value) ++i;
  }
  return {};
}

// `words` between blanks, as one argument of compgen. A line is one match,
// whatever is in it, and bash escapes those that are names of files.
std::string Matches(const std::string& words) {
  const std::string take = "mapfile -t COMPREPLY < <(compgen ";
  if (words == "FILE") {
    return take + "-f -- \"$word\"); compopt -o filenames 2>/dev/null";
  }
  return take + "-W '" + words + "' -- \"$word\")";
}

}  // namespace

std::string Misspelt(const std::vector<CommandWords>& commands,
                     const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments[0].starts_with('-')) return {};
  std::vector<std::string> names;
  for (const CommandWords& command : commands) {
    if (command.name == arguments[0]) {
      return command.passes_on ? "" : MisspeltFlag(command, arguments);
    }
    names.push_back(command.name);
  }
  return "there is no command " + arguments[0] +
         DidYouMean(arguments[0], names);
}

std::string BashCompletion(const std::vector<CommandWords>& commands) {
  std::string names;
  std::string cases;
  for (const CommandWords& command : commands) {
    names += command.name + " ";
    cases += "    " + command.name + ")\n";
    std::string flags;
    std::string values;
    for (const FlagWords& flag : command.flags) {
      std::string pattern;
      for (const std::string& name : flag.names) {
        flags += name + " ";
        pattern += (pattern.empty() ? "" : "|") + name;
      }
      if (!flag.takes_value) continue;
      values += "        " + pattern + ") " +
                (flag.values.empty() ? "" : Matches(flag.values) + "; ") +
                "return ;;\n";
    }
    if (!values.empty()) {
      cases += "      case $before in\n" + values + "      esac\n";
    }
    cases += "      if [[ $word == -* ]]; then " + Matches(flags) + "\n";
    if (!command.values.empty()) {
      cases += "      else " + Matches(command.values) + "\n";
    }
    cases += "      fi ;;\n";
  }
  return "# Completion of cirro for bash:  source <(cirro completion bash)\n"
         "_cirro() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} "
         "before=${COMP_WORDS[COMP_CWORD - 1]}\n"
         "  COMPREPLY=()\n"
         "  if ((COMP_CWORD == 1)); then\n    " +
         Matches(names + "--help --version") +
         "\n    return\n  fi\n"
         "  case ${COMP_WORDS[1]} in\n" +
         cases + "  esac\n}\ncomplete -F _cirro cirro\n";
}

}  // namespace cirro::cli
