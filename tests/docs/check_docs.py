"""Fails if a page's code differs from the source it quotes, or a link is dead.

usage: check_docs.py ROOT

A block of code is quoted by the line before it:  <!-- snippet: PATH#NAME -->
and its source is what lies between two lines `// [NAME]` (`# [NAME]` in a file
of another language) in PATH, with the common indentation removed. The sources
are compiled by the build, so the pages' code is too: a C++ block without a
source is an error.
"""

import pathlib
import re
import sys
import tempfile
import textwrap

BLOCK = re.compile(
    r"(?:^<!-- snippet: (?P<path>\S+)#(?P<name>\S+) -->\n)?"
    r"^```(?P<language>\w*)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.*?) *$", re.MULTILINE)


def source_of(path: pathlib.Path, name: str) -> str | None:
    if not path.is_file():
        return None
    marker = re.compile(rf"^[ \t]*(?://|#) \[{re.escape(name)}\]\n", re.MULTILINE)
    parts = marker.split(path.read_text())
    return textwrap.dedent(parts[1]).strip() if len(parts) == 3 else None


def anchors_of(text: str) -> set[str]:
    """The fragments that a forge makes from a page's headings."""
    titles = (title.lower() for title in HEADING.findall(text))
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in titles}


def errors_of(root: pathlib.Path, page: pathlib.Path) -> list[str]:
    text = page.read_text()
    errors = []
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start()) + 1
        where = f"{page.relative_to(root)}:{line}"
        if block["path"] is None:
            if block["language"] in ("cpp", "c++", "cc"):
                errors.append(f"{where}: C++ code that quotes no source")
            continue
        source = source_of(root / block["path"], block["name"])
        if source is None:
            errors.append(f"{where}: no {block['path']}#{block['name']}")
        elif textwrap.dedent(block["code"]).strip() != source:
            errors.append(f"{where}: differs from {block['path']}#{block['name']}")
    prose = BLOCK.sub("", text)
    for target in LINK.findall(prose):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, fragment = target.partition("#")
        linked = (page.parent / file).resolve() if file else page
        if not linked.exists():
            errors.append(f"{page.relative_to(root)}: dead link {target}")
        elif fragment and linked.suffix == ".md":
            if fragment not in anchors_of(linked.read_text()):
                errors.append(f"{page.relative_to(root)}: no heading {target}")
    return errors


def pages_of(root: pathlib.Path) -> list[pathlib.Path]:
    top = sorted(root.glob("*.md"))
    return top + [
        page
        for folder in ("docs", "functions", "cloudevents", "bindings", "tests")
        for page in sorted((root / folder).rglob("*.md"))
    ]


def self_test() -> None:
    """Each kind of drift is found, and a page without one is not blamed."""
    source = "  // [a]\n  int a;\n    int b;\n  // [a]\n"
    good = (
        "# One page\n<!-- snippet: x.cc#a -->\n```cpp\nint a;\n  int b;\n```\n"
        "[here](#one-page) [file](x.cc) [web](https://example.com/none)\n"
    )
    bad = {
        "drift": good.replace("int b", "int c"),
        "unknown": good.replace("x.cc#a", "x.cc#z"),
        "unquoted": "```cpp\nint a;\n```\n",
        "dead": "[gone](gone.md)\n",
        "heading": "# A\n[b](#b)\n",
    }
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory).resolve()
        (root / "x.cc").write_text(source)
        for name, text in {"good": good, **bad}.items():
            page = root / f"{name}.md"
            page.write_text(text)
            if bool(errors_of(root, page)) != (name != "good"):
                sys.exit(f"self-test: {name}: {errors_of(root, page)}")


def main() -> None:
    self_test()
    root = pathlib.Path(sys.argv[1]).resolve()
    pages = pages_of(root)
    errors = [error for page in pages for error in errors_of(root, page)]
    print("\n".join(errors) if errors else f"{len(pages)} pages: nothing drifted")
    sys.exit(bool(errors))


if __name__ == "__main__":
    main()
