"""Fails if docs/conformance.md and the tests disagree on who tests which rule.

usage: check_rules.py ROOT

A row of a table of rules is  | number | sentence | `test file` ... |  where each
file holds a TEST(RuleNNN, ...), or  | number | sentence | - (reason) |  for a
rule that is not tested. A rule without either, a file without that test, and a
test without its row are errors.
"""

import pathlib
import re
import sys

ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \|$", re.MULTILINE)
TEST = re.compile(r"\bTEST(?:_[FP])?\(\s*Rule(\d{3})\b")


def main() -> int:
    root = pathlib.Path(sys.argv[1])
    tested: dict[int, set[str]] = {}
    for source in sorted((root / "tests").rglob("*.cc")):
        for number in TEST.findall(source.read_text(errors="replace")):
            tested.setdefault(int(number), set()).add(str(source.relative_to(root)))

    errors = []
    listed = set()
    untested = []
    for number_text, sentence, where in ROW.findall(
        (root / "docs/conformance.md").read_text()
    ):
        number = int(number_text)
        if number in listed:
            errors.append(f"rule {number} has two rows")
        listed.add(number)
        named = set(re.findall(r"`([^`]+)`", where))
        found = tested.get(number, set())
        if not named:
            if not re.fullmatch(r"- \([^)?]+\)", where):
                errors.append(f"rule {number} has neither a test nor a reason")
            else:
                untested.append(f"{number}: {where[3:-1]}")
        for file in sorted(named - found):
            errors.append(f"rule {number}: no TEST(Rule{number:03}, ...) in {file}")
        for file in sorted(found - named):
            errors.append(f"rule {number}: its row does not name {file}")
    for number in sorted(tested.keys() - listed):
        errors.append(f"rule {number} is tested and has no row")

    for line in untested:
        print(f"without a test: rule {line}")
    for line in errors:
        print(f"error: {line}")
    print(f"{len(listed)} rules, {len(listed) - len(untested)} with tests")
    return 1 if errors or not listed else 0


if __name__ == "__main__":
    sys.exit(main())
