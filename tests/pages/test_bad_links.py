"""Whatever stands in a link, each screen stands, and says in a sentence what is wrong."""

import re
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from core.runs.settings import RunSettings
from core.runs.store import RunStore
from pages.app import shared
from pages.app.screens import CHOICES
from support.any_values import is_sentence
from support.screens import show
from support.servers import ROOT

PAGES = sorted((ROOT / "pages").glob("*.py"))
KEYS = sorted({key for file in ROOT.glob("pages/**/*.py") for key in re.findall(r'key="(\w+)"', file.read_text())})
LINKED = [*RunSettings.model_fields, *KEYS, "drawing", "pair"]
WORDS = some.sampled_from(
    ["", "nan", "inf", "9" * 5_000, "-1", "0", "0.25", "1e9", "true", "TwoBranchesModel", "../..", "x" * 20_000, "\0"]
)


@pytest.fixture(scope="module")
def seen_store(tmp_path_factory, trained_store) -> RunStore:
    """A store with finished runs for every screen."""
    root = tmp_path_factory.mktemp("seen") / "runs"
    shutil.copytree(trained_store, root)
    return RunStore(root)


@pytest.fixture
def screens(monkeypatch, seen_store, screens_alone):
    monkeypatch.setattr(shared.STORE, "root", seen_store.root)


@pytest.mark.usefixtures("screens")
@pytest.mark.parametrize("page", PAGES, ids=lambda file: file.stem)
@given(link=some.dictionaries(some.sampled_from(LINKED), WORDS | some.text(max_size=30), max_size=6))
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_screen_stands_whatever_the_link_says(page, link):
    app = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=60)
    for name, value in link.items():
        app.query_params[name] = value
    app.run()
    if page.stem != "home":
        app.switch_page(str(page.relative_to(ROOT))).run()
    assert not app.exception
    assert len(app.title) == 1
    assert all(is_sentence(message.value) for message in (*app.error, *app.warning))


@pytest.mark.usefixtures("screens")
@pytest.mark.parametrize(("name", "value"), [("seed", "inf"), ("rounds", "9" * 5_000), ("max_epochs", "-1e999")])
def test_an_infinite_number_in_a_link_is_refused_and_stays_so(name, value):
    app = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=60)
    app.run()
    app.switch_page("pages/train.py")
    app.query_params[name] = value
    for _ in range(2):
        app.run()
        assert not app.exception
        [warning] = app.warning
        assert warning.value.startswith(f"The link's {name} is {value[:40]!r}, but must be a whole number from ")


@pytest.mark.usefixtures("screens")
@pytest.mark.parametrize("page", PAGES, ids=lambda file: file.stem)
def test_a_choice_that_a_screen_does_not_have_is_named_and_no_other(page):
    known = {name: "" for name in CHOICES[page.stem] if name in KEYS and name not in RunSettings.model_fields}
    app = show(str(page.relative_to(ROOT)), **known, colour="red")
    said = [warning.value for warning in app.warning if "does not know" in warning.value]
    assert said == ["The link sets 'colour', which this screen does not know."]


def test_every_choice_that_a_widget_has_from_the_link_is_known():
    bound = r'key="(\w+)",\s*bind=|key="(\w+)", bind='
    found = {a or b for file in ROOT.glob("pages/**/*.py") for a, b in re.findall(bound, file.read_text())}
    assert len(found) > 20
    assert found <= {name for names in CHOICES.values() for name in names}
