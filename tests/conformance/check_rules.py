"""Fails if docs/conformance.md and the tests disagree on who tests which rule.

usage: check_rules.py ROOT [COUNT]

The rules are 1 to COUNT. A row of a table of rules is  | number | sentence |
`test file` ... |  where each file holds a TEST(RuleNNN, ...), or  | number |
sentence | - (reason) |  for a rule that is not tested; such a row may also be of
several rules,  | first-last | sentence | - (reason) | . A rule without either, a
file without that test, and a test without its row are errors. A test that is
disabled or in a comment is none.
"""

import pathlib
import re
import sys

COUNT = 129
ROW = re.compile(r"^\| (\d+)(?:-(\d+))? \| (.+?) \| (.+?) \|$", re.MULTILINE)
TEST = re.compile(
    r"^TEST(?:_[FP])?\(\s*Rule(\d{3})\s*,\s*(?!DISABLED_)\w", re.MULTILINE
)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def find_tests(root: pathlib.Path) -> dict[int, set[str]]:
    tested: dict[int, set[str]] = {}
    for source in sorted((root / "tests").rglob("*.cc")):
        text = COMMENT.sub("", source.read_text(errors="replace"))
        for number in TEST.findall(text):
            tested.setdefault(int(number), set()).add(str(source.relative_to(root)))
    return tested


def main() -> int:
    root = pathlib.Path(sys.argv[1])
    count = int(sys.argv[2]) if len(sys.argv) > 2 else COUNT
    tested = find_tests(root)

    errors = []
    listed = set()
    untested = set()
    for first, last, _, where in ROW.findall(
        (root / "docs/conformance.md").read_text()
    ):
        named = set(re.findall(r"`([^`]+)`", where))
        reason = re.fullmatch(r"- \([^)?]+\)", where)
        for number in range(int(first), int(last or first) + 1):
            if number in listed:
                errors.append(f"rule {number} has two rows")
            listed.add(number)
            found = tested.get(number, set())
            if not named and reason:
                untested.add(number)
            elif not named:
                errors.append(f"rule {number} has neither a test nor a reason")
            for file in sorted(named - found):
                errors.append(
                    f"rule {number}: no TEST(Rule{number:03}, ...) in {file}"
                )
            for file in sorted(found - named):
                errors.append(f"rule {number}: its row does not name {file}")
        if not named:
            print(f"without a test: rule {first}{'-' + last if last else ''}: {where}")
    rules = set(range(1, count + 1))
    for number in sorted(rules - listed):
        missing = "no row" if number in tested else "no row, no test and no reason"
        errors.append(f"rule {number} has {missing}")
    for number in sorted((listed | tested.keys()) - rules):
        errors.append(f"there is no rule {number}")

    for line in errors:
        print(f"error: {line}")
    print(f"{len(listed)} rules, {len(listed) - len(untested)} with tests")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
