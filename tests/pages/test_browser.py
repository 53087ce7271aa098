"""The real thing in Chromium: train, watch, stop, reload, compare, draw."""

import re
import shutil

import pytest
from playwright.sync_api import expect

from core.runs.settings import RunSettings
from core.runs.store import RunStore
from support.servers import ROOT, serve


@pytest.fixture(scope="module")
def store(tmp_path_factory, trained_store):
    root = tmp_path_factory.mktemp("browser") / "runs"
    shutil.copytree(trained_store, root)
    return RunStore(root)


@pytest.fixture(scope="module")
def address(store):
    with serve(ROOT / "streamlit_app.py", store.root) as address:
        yield address


def start(page) -> None:
    page.get_by_role("button", name="Start training").click()


def count_marks(page) -> int:
    """How many points the chart's curves have, read from the drawn paths."""
    return page.evaluate(
        "() => [...document.querySelectorAll('.mark-line path')]"
        ".reduce((sum, path) => sum + ((path.getAttribute('d') ?? '').match(/[ML]/g) || []).length, 0)"
    )


def wait_for_update(page, seen: int) -> int:
    page.wait_for_function(
        "seen => [...document.querySelectorAll('.mark-line path')]"
        ".reduce((sum, path) => sum + ((path.getAttribute('d') ?? '').match(/[ML]/g) || []).length, 0) > seen",
        arg=seen,
    )
    return count_marks(page)


VISIBLE_LABELS = (  # Vega keeps the others in the page, transparent
    "[...document.querySelectorAll('.role-axis-label text')]"
    ".filter(e => e.getAttribute('opacity') !== '0').map(e => e.textContent)"
)


def labels(page) -> set[str]:
    """The numbers along both axes: they are what a zoom changes."""
    return set(page.evaluate(VISIBLE_LABELS))


def test_train_live_zoom_stays_stop_and_reload(address, store, open_page):
    settings = RunSettings(model="TwoBranchesModel", training_pairs=10_000, max_epochs=500, patience=500, seed=40)
    page = open_page(
        f"{address}/train?model=TwoBranchesModel&training_pairs=10000&max_epochs=500&patience=500&seed=40&rounds=1"
    )
    expect(page.get_by_text("Press Start training.")).to_be_visible()
    start(page)
    chart = page.locator("[data-testid=stVegaLiteChart] svg.marks")
    chart.wait_for()
    page.evaluate("document.querySelector('[data-testid=stVegaLiteChart] svg.marks').dataset.mine = 'yes'")

    box = chart.bounding_box()
    before = labels(page)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, -400)
    page.wait_for_function(f"before => before.some(text => !{VISIBLE_LABELS}.includes(text))", arg=list(before))
    points = wait_for_update(page, wait_for_update(page, count_marks(page)))  # the wheel's last turn is drawn by then
    zoomed = labels(page)
    for _ in range(10):
        points = wait_for_update(page, points)
    assert page.locator("svg.marks[data-mine=yes]").count() == 1
    assert labels(page) == zoomed

    page.reload()  # the run goes on, and the page finds it again
    expect(page.get_by_text("(yours)")).to_be_visible()
    wait_for_update(page, points)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("1 round: 1 stopped.")).to_be_visible()
    run = store.read(settings.run_id)
    assert run.state == "stopped"
    assert len(run.history) >= 10
    assert chart.count() == 1


def test_train_to_the_end_then_compare_then_draw(address, store, open_page):
    page = open_page(f"{address}/train?model=WeightSharingBranchesModel&max_epochs=3&rounds=2")
    start(page)
    expect(page.get_by_text("2 rounds: 2 finished.")).to_be_visible()
    for settings in RunSettings(model="WeightSharingBranchesModel", max_epochs=3).rounds(2):
        assert store.read(settings.run_id).state == "finished"
    page.get_by_role("link", name="Draw").click()
    expect(page.get_by_role("heading", name=re.compile("Is the first digit"))).to_be_visible()
    expect(page.get_by_role("heading", name="Draw a digit on each pad")).to_be_visible()
    draw(page, 0, [(0.5, 0.15), (0.5, 0.85)])
    draw(page, 1, [(0.25, 0.2), (0.75, 0.2), (0.45, 0.85)])
    expect(page.get_by_role("heading", name=re.compile(r"^\d+ of \d+ say"))).to_be_visible()
    expect(page.locator(".verdicts tbody tr")).to_have_count(3)
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("heading", name=re.compile("report"))).to_be_visible()
    page.get_by_role("link", name="Draw").click()
    expect(
        page.get_by_role("heading", name=re.compile(r"^\d+ of \d+ say"))
    ).to_be_visible()  # the drawing is still there


KEEP_STREAMS = """(() => {
  const Stream = window.EventSource
  window.streams = []
  window.EventSource = class extends Stream { constructor(url) { super(url); window.streams.push(this) } }
})()"""
CLICK_WHILE_A_RUN_MOVES = """link => {
  link.click()
  window.streams.filter((stream) => stream.readyState === 1).forEach((stream) => stream.onmessage({}))
}"""


def test_the_next_page_is_whole_though_a_run_moves_at_the_click(address, open_page):
    page = open_page("about:blank")
    page.add_init_script(KEEP_STREAMS)
    for _ in range(3):
        page.goto(f"{address}/train")
        page.wait_for_function("window.streams.some((stream) => stream.readyState === 1)")
        page.get_by_role("link", name="Draw").evaluate(CLICK_WHILE_A_RUN_MOVES)
        expect(page.get_by_role("heading", name="Draw a digit on each pad")).to_be_visible()


def draw(page, index: int, points: list[tuple[float, float]]) -> None:
    box = page.locator("canvas.pen").nth(index).bounding_box()
    x, y = points[0]
    page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=6)
    page.mouse.up()


def test_a_link_straight_to_a_page_works_for_a_new_servers_first_visitor(tmp_path, open_page):
    with serve(ROOT / "streamlit_app.py", tmp_path / "none") as address:
        page = open_page(f"{address}/compare")
        expect(page.get_by_role("heading", name=re.compile("report"))).to_be_visible()
        expect(page.get_by_role("link", name="Draw")).to_be_visible()
        assert page.get_by_role("dialog").count() == 0


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
@pytest.mark.parametrize(
    "path", ["", "train", "compare", "findings", "mistakes", "architectures", "walk", "leaderboard", "draw"]
)
def test_no_screen_is_wider_than_the_window(address, open_page, path, width, dark):
    page = open_page(f"{address}/{path}", width, dark)
    page.locator("h1").wait_for()
    page.wait_for_function("!document.querySelector('[data-testid=stStatusWidget]')")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("[data-testid=stException]").count() == 0
