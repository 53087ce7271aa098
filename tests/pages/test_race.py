"""A race in Chromium: started, watched by two, stopped, reloaded, replayed; and the stream that wakes the pages."""

import http.client
import signal
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect
from streamlit.proto.BackMsg_pb2 import BackMsg

from core.runs.settings import RunSettings
from core.runs.store import RunStore
from support.fake_runs import write_history
from support.servers import ROOT, find_port, serve, serve_on
from support.visitor import connected

MODELS = ["TwoBranchesModel", "WeightSharingBranchesModel", "DirectClassificationModel"]
LONG = {"training_pairs": 5_000, "max_epochs": 500, "patience": 500}
AXES = "() => [...document.querySelectorAll('.role-axis-label text')].map(label => label.textContent)"
DRAWN = """count => [...document.querySelectorAll('.mark-line path')]
  .filter(path => /L/.test(path.getAttribute('d') ?? '')).length >= count"""


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> RunStore:
    return RunStore(tmp_path_factory.mktemp("race") / "runs")


@pytest.fixture(scope="module")
def address(store) -> Iterator[str]:
    with serve(ROOT / "streamlit_app.py", store.root) as address:
        yield address


def link(address: str, **choices) -> str:
    return f"{address}/train?{urlencode(choices, doseq=True)}"


def read_epochs(page: Page) -> list[int]:
    """The epochs on the score board; 0 for who has none."""
    texts = page.locator(".board tbody td:nth-child(2)").all_inner_texts()
    return [int(text) if text.isdecimal() else 0 for text in texts]


def wait_for_epochs(page: Page, condition: Callable[[list[int]], bool], seconds: float = 180) -> None:
    """Until the epochs on the score board meet the condition."""
    ended = time.monotonic() + seconds
    while not condition(found := read_epochs(page)):
        assert time.monotonic() < ended, found
        page.wait_for_timeout(50)


def wait_until_all_have(page: Page, epochs: int, count: int = 3) -> None:
    wait_for_epochs(page, lambda found: len(found) == count and min(found) >= epochs)


WATCH_EPOCHS = """body => {
  window.mostEpochs = []  // on the score board, each time that it changes; a replay may be over within a second
  const look = () => window.mostEpochs.push(
    Math.max(...[...body.rows].map((row) => Number.parseInt(row.cells[1].textContent, 10) || 0)))
  new MutationObserver(look).observe(body, { childList: true, subtree: true, characterData: true })
}"""


def test_a_race_of_three_is_seen_by_two_stopped_reloaded_and_replayed(address, store, open_page):
    where = link(address, model=MODELS, seed=900, rounds=1, **LONG)
    page, other = open_page(where), open_page(where)
    for each in (page, other):
        expect(each.get_by_text("Press Start training.")).to_be_visible()
        each.locator("svg.marks").wait_for()
    axes = page.evaluate(AXES)
    assert axes
    page.get_by_role("button", name="Start training").click()
    wait_until_all_have(page, 6)
    wait_until_all_have(other, 6)  # nobody has touched it
    page.wait_for_function(DRAWN, arg=3)
    assert page.evaluate(AXES) == other.evaluate(AXES) == axes
    epochs = read_epochs(page)
    assert max(epochs) - min(epochs) <= 10
    expect(other.get_by_role("button", name="Stop")).to_be_disabled()  # they are not this browser's

    page.reload()
    wait_until_all_have(page, max(epochs) + 1)
    with connected(address) as forger:  # anybody can send the message that empties Streamlit's caches for everybody
        forger.socket.send(BackMsg(clear_cache=True).SerializeToString())
        forger.visit("train")
    page.get_by_role("button", name="Stop").click()  # the engine that trains is still the one that pages ask
    for each in (page, other):
        expect(each.get_by_text("3 rounds: 3 stopped.")).to_be_visible()
    reached = [len(store.read(RunSettings(model=model, seed=900, **LONG).run_id).history) for model in MODELS]
    assert sorted(read_epochs(page)) == sorted(reached)

    page.locator(".board tbody").evaluate(WATCH_EPOCHS)
    page.get_by_role("button", name="Replay").click()
    page.wait_for_function("least => window.mostEpochs.some((most) => 0 < most && most < least)", arg=min(reached))
    assert page.evaluate(AXES) == axes
    wait_until_all_have(page, min(reached))
    assert page.locator("[data-testid=stException]").count() == 0


def test_a_short_race_ends_with_test_accuracies_in_order(address, store, open_page):
    page = open_page(link(address, model=MODELS, seed=910, rounds=2, max_epochs=3))
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_text("6 rounds: 6 finished.")).to_be_visible()
    shown = [float(text.split("±")[0]) for text in page.locator(".board tbody td:nth-child(4)").all_inner_texts()]
    assert len(shown) == 3
    assert all(one >= next_one for one, next_one in pairwise(shown))
    expect(page.get_by_role("button", name="Stop")).to_be_disabled()


def test_what_another_program_trains_is_seen_without_a_click(address, store, open_page):
    settings = RunSettings(model="TwoChannelsModel", seed=920)
    page = open_page(link(address, model=settings.model, seed=920, rounds=1))
    expect(page.get_by_text("Press Start training.")).to_be_visible()
    writer = store.claim(settings)
    assert writer is not None
    for record in write_history(5, 0.8):
        writer.append(record)
    expect(page.get_by_text("Another program on this store trains 1 of them")).to_be_visible()
    wait_until_all_have(page, 5, 1)
    writer.close()
    expect(page.get_by_text("1 round: 1 interrupted.")).to_be_visible()


def ask(address: str, path: str) -> tuple[int, str | None]:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.getheader("content-type")


@pytest.mark.parametrize("topic", ["", "nothing", "../../etc/passwd", "x" * 5_000])
def test_a_topic_that_no_page_has_is_refused(address, topic):
    assert ask(address, f"/moves?{urlencode({'topic': topic})}")[0] == 404


@pytest.mark.parametrize("query", ["model=TwoBranchesModel&model=Perceptron&seed=7", "dropout=", "rounds=2"])
def test_a_link_from_when_train_was_the_first_screen_leads_to_train(address, query):
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
    connection.request("GET", f"/?{query}")
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("location")) == (307, f"/train?{query}")


def test_a_server_ends_although_a_page_listens(tmp_path: Path, open_page):
    with serve_on(find_port(), ROOT / "streamlit_app.py", tmp_path / "runs") as (address, process):
        page = open_page(f"{address}/train")
        expect(page.get_by_text("Press Start training.")).to_be_visible()
        with page.expect_response(lambda response: "/moves?" in response.url):
            page.reload()
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def test_back_brings_back_the_screens_before_with_their_choices(address, open_page):
    page = open_page(link(address, model="TwoBranchesModel", seed=910))
    seed = page.get_by_role("spinbutton", name="First seed")
    expect(seed).to_have_value("910")
    page.get_by_role("link", name="Findings").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Does dropout help those that see digit classes?")
    page.get_by_text("Which pairs are hard?").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Which pairs are hard?")
    chosen = page.evaluate("location.href")
    page.get_by_role("link", name="Leaderboard").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Which settings compare digits best?")
    assert page.evaluate("location.pathname") == "/leaderboard"
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Which pairs are hard?")
    assert page.evaluate("location.href") == chosen
    page.go_back()
    expect(seed).to_have_value("910")
    expect(page.get_by_text("Two branches", exact=True).first).to_be_visible()
