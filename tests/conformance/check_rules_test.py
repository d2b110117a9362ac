"""check_rules.py passes what is in order and fails each thing that is not."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(__file__).with_name("check_rules.py")

DOCS = """
| rule | what Cirro does | tested in |
|---|---|---|
| 1 | One. | `tests/a_test.cc` |
| 2 | Two. | `tests/a_test.cc` `tests/b_test.cc` |
| 3 | Three. | - (nothing to test) |
| 4-5 | Four and five. | - (not spoken yet) |
"""
TESTS = {
    "a_test.cc": "TEST(Rule001, A) {}\nTEST_F(Rule002, A) {}\n",
    "b_test.cc": "TEST_P(Rule002,\n       B) {}\n",
}


def check(docs: str = DOCS, count: int = 5, **changed: str) -> tuple[int, str]:
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "docs").mkdir()
        (root / "docs/conformance.md").write_text(docs)
        (root / "tests").mkdir()
        for name, text in TESTS.items():
            text = changed.get(name.removesuffix("_test.cc"), text)
            (root / "tests" / name).write_text(text)
        done = subprocess.run(
            [sys.executable, str(CHECK), str(root), str(count)],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


class CheckRules(unittest.TestCase):
    def refused(self, why: str, *args, **changed) -> None:
        status, said = check(*args, **changed)
        self.assertEqual(status, 1, said)
        self.assertIn("error: " + why + "\n", said)

    def test_takes_what_is_in_order(self):
        status, said = check()
        self.assertEqual(status, 0, said)
        self.assertIn("5 rules, 2 with tests", said)

    def test_a_rule_with_neither_row_nor_test(self):
        self.refused("rule 6 has no row, no test and no reason", count=6)

    def test_a_rule_whose_row_is_gone(self):
        docs = DOCS.replace("| 3 | Three. | - (nothing to test) |\n", "")
        self.refused("rule 3 has no row, no test and no reason", docs)

    def test_a_tested_rule_without_a_row(self):
        docs = DOCS.replace("| 1 | One. | `tests/a_test.cc` |\n", "")
        self.refused("rule 1 has no row", docs)

    def test_a_row_without_a_reason(self):
        for where in ("-", "- ()", "- (?)", "later"):
            docs = DOCS.replace("- (nothing to test)", where)
            self.refused("rule 3 has neither a test nor a reason", docs)
        docs = DOCS.replace("- (not spoken yet)", "-")
        self.refused("rule 5 has neither a test nor a reason", docs)

    def test_a_test_that_is_gone(self):
        self.refused("rule 2: no TEST(Rule002, ...) in tests/b_test.cc", b="")

    def test_a_test_that_does_not_run(self):
        for text in (
            "TEST(Rule002, DISABLED_B) {}\n",
            "// TEST(Rule002, B) {}\n",
            "/*\nTEST(Rule002, B) {}\n*/\n",
        ):
            self.refused("rule 2: no TEST(Rule002, ...) in tests/b_test.cc", b=text)

    def test_a_test_that_no_row_names(self):
        text = TESTS["b_test.cc"] + "TEST(Rule001, B) {}\n"
        self.refused("rule 1: its row does not name tests/b_test.cc", b=text)
        text = TESTS["b_test.cc"] + "TEST(Rule004, B) {}\n"
        self.refused("rule 4: its row does not name tests/b_test.cc", b=text)

    def test_two_rows(self):
        self.refused("rule 4 has two rows", DOCS + "| 4 | Four. | - (why) |\n")

    def test_a_number_that_is_no_rules(self):
        self.refused("there is no rule 5", count=4)


if __name__ == "__main__":
    unittest.main()
