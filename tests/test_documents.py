"""What the documents promise: links lead somewhere, the picture is that of its text, README is short."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from support.servers import ROOT

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(document):
    for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
        assert (document.parent / target).is_file(), target


def test_the_picture_is_drawn_from_its_text(tmp_path):
    (tmp_path / "architecture.toml").write_bytes((ROOT / "docs" / "architecture.toml").read_bytes())
    subprocess.run([sys.executable, ROOT / "tools" / "draw_picture.py", tmp_path / "architecture.toml"], check=True)
    drawn = (tmp_path / "architecture.svg").read_text()
    assert drawn == (ROOT / "docs" / "architecture.svg").read_text(), (
        "python tools/draw_picture.py docs/architecture.toml"
    )
    assert ET.fromstring(drawn).find("{http://www.w3.org/2000/svg}title").text.startswith("Browsers talk to one server")


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().split()) < 1_500


def test_what_keeps_a_row_of_the_hardening_is_there():
    kept = set(re.findall(r"`(test_\w+\.py)`", (ROOT / "docs" / "hardening.md").read_text()))
    assert kept <= {path.name for path in (ROOT / "tests").rglob("*.py")}
