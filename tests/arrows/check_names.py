"""Fails if two types share a name in one namespace.

usage: check_names.py ROOT

Each compiles alone, and no linker says a word: their inline functions are merged,
and one of the two is then copied as if it were the other.
"""

import pathlib
import re
import sys
import tempfile

FOLDERS = ("cloudevents", "dispatch", "bindings", "runtime")
SUFFIXES = {".h", ".cc"}
NAMESPACE = re.compile(r"^namespace(?: ([\w:]+))? \{$")
END = re.compile(r"^\}  // namespace(?: [\w:]+)?$")
# Ours stand at the start of a line; what follows a name at once would be a
# declaration's semicolon or a specialisation's arguments.
TYPE = re.compile(r"^(?:class|struct|union|enum class) (?:CIRRO_\w+(?:\(.*?\))? )?([\w:]+)\b(?![;<])")


def types_of(text: str) -> list[str]:
    """The full names of the types a source defines outside unnamed namespaces."""
    names = []
    open_spaces: list[str | None] = []
    template = False
    for line in text.splitlines():
        if found := NAMESPACE.match(line):
            open_spaces.append(found[1])
        elif END.match(line):
            open_spaces.pop()
        elif (found := TYPE.match(line)) and None not in open_spaces and not template:
            names.append("::".join([*open_spaces, found[1]]))
        template = line.startswith("template <")
    return names


def shared_names(root: pathlib.Path) -> tuple[int, list[str]]:
    where: dict[str, list[str]] = {}
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in SUFFIXES:
                for name in types_of(path.read_text()):
                    where.setdefault(name, []).append(str(path.relative_to(root)))
    wrong = [f"{name}: {', '.join(paths)}" for name, paths in where.items() if len(paths) > 1]
    return len(where), wrong


def self_test() -> None:
    """A planted pair is found; what only looks like one is not."""
    sources = {
        "dispatch/src/a.h": "namespace cirro::internal {\nstruct Answer {\n};\n}  // namespace cirro::internal\n",
        "runtime/src/b.cc": "namespace cirro::internal {\nclass Answer final : public X {\n};\n}  // namespace cirro::internal\n",
        "runtime/src/c.cc": "namespace cirro {\nnamespace {\nstruct Answer {\n};\n}  // namespace\n}  // namespace cirro\n",
        "runtime/src/d.cc": "namespace cirro::internal {\nclass Answer;\n}  // namespace cirro::internal\n",
        "bindings/e/src/e.h": "namespace cirro::internal::e {\nstruct Answer {};\n}  // namespace cirro::internal::e\n",
    }
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text in sources.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        _, wrong = shared_names(root)
    if wrong != ["cirro::internal::Answer: dispatch/src/a.h, runtime/src/b.cc"]:
        sys.exit(f"check_names.py finds {wrong} in its own planted sources")


def main(root: str) -> int:
    self_test()
    count, wrong = shared_names(pathlib.Path(root))
    if count < 200:
        print(f"only {count} types found under {root}")
        return 1
    for line in wrong:
        print(line)
    print(f"{count} types, {len(wrong)} names of more than one")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
