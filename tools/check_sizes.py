"""Says which Python files, classes and functions are longer than allowed: `python tools/check_sizes.py`.

Exit status 1 if any is. One may be longer if a comment says why: `# long: it is one table` on the line of its `def`,
on the line of its `class`, or, for a file, on a line of its own.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDERS = ("core", "pages", "benchmarks", "tests", "tools")
MOST_LINES = {"file": 350, "class": 150, "function": 40}
KINDS = {ast.ClassDef: "class", ast.FunctionDef: "function", ast.AsyncFunctionDef: "function"}
REASON = "# long: "


def find_long(path: Path) -> Iterator[str]:
    """One sentence for each part of a file that is longer than allowed and does not say why."""
    lines = path.read_text().splitlines()
    if len(lines) > MOST_LINES["file"] and not any(line.startswith(REASON) for line in lines):
        yield complain(path, 1, f"The file has {len(lines)} lines", "file")
    for node in ast.walk(ast.parse("\n".join(lines))):
        kind = KINDS.get(type(node))
        if kind and node.end_lineno - node.lineno >= MOST_LINES[kind]:
            head = lines[node.lineno - 1 : node.body[0].lineno]
            if not any(REASON in line for line in head):
                count = node.end_lineno - node.lineno + 1
                yield complain(path, node.lineno, f"The {kind} {node.name} has {count} lines", kind)


def complain(path: Path, line: int, words: str, kind: str) -> str:
    return f"{path.relative_to(ROOT)}:{line}: {words}; {MOST_LINES[kind]} are allowed."


if __name__ == "__main__":
    paths = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    complaints = [sentence for path in paths for sentence in find_long(path)]
    print("\n".join(complaints) or f"{len(paths)} files: none is too long.")
    sys.exit(bool(complaints))
