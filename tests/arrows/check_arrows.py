"""Fails if a folder includes something of a folder to its right.

usage: check_arrows.py ROOT

What a folder may include is written down here once, apart from CMake: a LINK too
many in a CMakeLists.txt would silence the compiler, not this.
"""

import pathlib
import re
import sys
import tempfile

# Each group of headers sees its own and those named, all of them to its left.
SEES = {
    "cloudevents": [],
    "dispatch": ["cloudevents"],
    "module": ["cloudevents"],
    "http": ["cloudevents", "dispatch", "module"],
    "memory": ["cloudevents", "dispatch"],
    "sqlite": ["cloudevents", "dispatch", "module"],
    # Both ends of HTTP share the codec, which needs cloudevents alone.
    "http_client": ["cloudevents", "dispatch", "module", "http"],
    "kafka": ["cloudevents", "dispatch", "module"],
    "nats": ["cloudevents", "dispatch", "module"],
    "runtime": [
        "cloudevents",
        "dispatch",
        "module",
        "http",
        "http_client",
        "memory",
        "kafka",
        "nats",
        "sqlite",
    ],
}
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]((?:cirro/|\.\./)[^">]+)[">]', re.MULTILINE)
SUFFIXES = {".h", ".cc"}


def group_of(path: pathlib.PurePath) -> str:
    """The group a source file belongs to: bindings/http/src/x.cc is http's."""
    return path.parts[1] if path.parts[0] == "bindings" else path.parts[0]


def sources_of(root: pathlib.Path) -> list[pathlib.Path]:
    return [
        path.relative_to(root)
        for folder in ("cloudevents", "dispatch", "bindings", "runtime")
        for path in sorted((root / folder).rglob("*"))
        if path.suffix in SUFFIXES
    ]


def wrong_includes(root: pathlib.Path) -> tuple[int, list[str]]:
    paths = sources_of(root)
    owner = {
        path.as_posix().partition("/include/")[2]: group_of(path)
        for path in paths
        if "include" in path.parts
    }
    wrong = []
    for path in paths:
        group = group_of(path)
        if group not in SEES:
            wrong.append(f"{path}: SEES says nothing of {group}")
            continue
        for header in INCLUDE.findall((root / path).read_text()):
            # Nobody's header cannot be found by the compiler either, except
            # by a path that climbs out of the folder.
            if owner.get(header) not in (group, *SEES[group]):
                wrong.append(f"{path}: {group} must not see {header}")
    return len(paths), wrong


def self_test() -> None:
    """A planted wrong arrow of each kind is found, and a right one is not."""
    headers = [
        "cloudevents/include/cirro/cloudevents/x.h",
        "dispatch/include/cirro/dispatch/x.h",
        "bindings/http/include/cirro/http/x.h",
        "bindings/memory/include/cirro/memory/x.h",
        "runtime/include/cirro/cirro.h",
    ]
    planted = {
        "cloudevents/src/a.cc": '#include "cirro/dispatch/x.h"\n',
        "dispatch/include/cirro/dispatch/b.h": "#include <cirro/http/x.h>\n",
        "bindings/http/src/c.cc": '#  include "cirro/memory/x.h"\n',
        "bindings/http/src/d.cc": '#include "cirro/cirro.h"\n',
        "bindings/http/src/e.cc": '#include "../../memory/src/y.h"\n',
    }
    allowed = {
        "runtime/src/f.cc": '#include "cirro/http/x.h"\n#include <cirro/cirro.h>\n',
        "bindings/http/src/g.cc": '#include "cirro/http/x.h"\n#include <vector>\n',
        **dict.fromkeys(headers, ""),
    }
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        for name, text in {**planted, **allowed}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        _, wrong = wrong_includes(root)
    found = {line.split(":")[0] for line in wrong}
    if found != set(planted):
        sys.exit(f"self-test: found {sorted(found)}, planted {sorted(planted)}")


def main() -> None:
    self_test()
    checked, wrong = wrong_includes(pathlib.Path(sys.argv[1]))
    print("\n".join(wrong) if wrong else f"{checked} files: every arrow points left")
    sys.exit(bool(wrong) or checked == 0)


if __name__ == "__main__":
    main()
