"""The Dockerfile, as far as it can be judged without a builder: what it copies exists, and its versions are ours."""

import importlib
import re
import tomllib

from support.servers import ROOT

LINES = (ROOT / "Dockerfile").read_text().replace("\\\n", "").splitlines()


def arguments(instruction: str) -> list[list[str]]:
    return [line.split()[1:] for line in LINES if line.startswith(f"{instruction} ")]


def test_what_is_copied_exists_and_is_not_ignored():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    sources = [word for words in arguments("COPY") for word in words[:-1] if not word.startswith("--")]
    assert {"requirements.txt", "streamlit_app.py", ".streamlit", "core", "pages", "data", "cached_runs"} == {*sources}
    for source in sources:
        assert (ROOT / source).exists()
        assert f"!{source}" in ignored


def test_python_is_one_that_the_project_supports():
    [[image]] = arguments("FROM")
    version = tuple(map(int, re.fullmatch(r"python:(\d+)\.(\d+)-slim", image).groups()))
    required = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert version >= tuple(map(int, required.removeprefix(">=").split(".")))


def test_the_server_is_nobody_special_keeps_its_runs_and_is_watched():
    [[user]] = arguments("USER")
    assert user != "root"
    assert LINES.index(f"USER {user}") < LINES.index("VOLUME /app/cached_runs")
    assert any("/health" in " ".join(words) for words in arguments("HEALTHCHECK"))
    assert LINES[-1].startswith('CMD ["streamlit", "run", "streamlit_app.py"')
    assert arguments("EXPOSE") == [[re.search(r"--server\.port=(\d+)", LINES[-1])[1]]]


def test_what_it_runs_of_ours_can_be_imported():
    [module] = re.findall(r"python -c \"from (\S+) import unpack_mnist", "\n".join(LINES))
    assert hasattr(importlib.import_module(module), "unpack_mnist")
