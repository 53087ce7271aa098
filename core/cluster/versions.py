"""What must be equal on every machine that trains: with other versions, a run would not be what its settings say."""

import hashlib
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version

from core.processes import ROOT


@cache
def describe_versions() -> dict[str, str]:
    """The versions of Python, of the packages that decide a run's numbers or carry them, and of this program."""
    code = hashlib.sha256()
    root = ROOT / "core"
    for file in sorted(root.rglob("*.py")):
        code.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes())
    names = ("torch", "numba", "distributed")
    packages = {name: version(name).split("+")[0] for name in names}  # without the kind of build
    return {"Python": f"{sys.version_info[0]}.{sys.version_info[1]}", **packages, "this program": code.hexdigest()[:8]}


def name_differences(theirs: Mapping[str, str]) -> str:
    """What another machine's versions have instead of ours, as in 'torch 2.13.0 instead of 2.14.1'; empty: nothing."""
    ours = describe_versions()
    return ", ".join(f"{name} {theirs[name]} instead of {ours[name]}" for name in ours if theirs[name] != ours[name])
