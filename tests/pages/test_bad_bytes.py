"""Whatever comes from outside, right or wrong: a right answer or one clear sentence, and in bounded time."""

import io
import json
import re
import resource
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.analysis import findings, mistakes
from core.analysis.agreement import compare_orders
from core.analysis.artefact import dropout_artefact
from core.analysis.comparison import read_rounds
from core.analysis.leaderboard import leaderboard
from core.analysis.tables import load_histories, load_runs, results_json, results_table, summarise_cells
from core.analysis.traces import early_stop_hypothesis
from core.drawing.links import decode_drawing
from core.drawing.photo import MAX_WHOLE, frame_from_image
from core.drawing.strokes import frame_from_strokes, parse_strokes
from core.networks.ensemble import load_ensembles
from core.runs.records import EPOCH_FIELDS, PREDICTION_SHAPES, Finished
from core.runs.settings import RunSettings, check_run_id
from core.runs.store import Run, RunStore, StoreError
from core.training.verify import check_run
from pages.app import shared
from pages.components.pad import PadState, _read_message
from support.fake_runs import write_run
from support.servers import ROOT

BOUND = 20_000  # ms an example; the first one also imports, and the machine may be busy
NUMBERS = some.one_of(some.integers(), some.floats(), some.sampled_from([0, 1, -1, 2**31, 10**400, 1e308, 0.5, 100]))
LEAVES = some.one_of(some.none(), some.booleans(), NUMBERS, some.text(max_size=20))
JSON = some.recursive(
    LEAVES, lambda inner: inner | some.lists(inner) | some.dictionaries(some.text(), inner), max_leaves=8
)
SETTINGS = RunSettings(model="TwoChannelsModel")
few = settings(max_examples=25, deadline=BOUND, suppress_health_check=[HealthCheck.function_scoped_fixture])


def is_sentence(text: str) -> bool:
    return text.endswith(".") and "\n" not in text and "Traceback" not in text


def attempt(function, *arguments):
    """What the function gives, or None where it refuses in a sentence."""
    try:
        return function(*arguments)
    except ValueError as error:
        sentence = str(error)
    assert is_sentence(sentence)
    return None


# --- settings and names -----------------------------------------------------------------------------------------------


@given(some.dictionaries(some.sampled_from([*RunSettings.model_fields, "learning", ""]), JSON | some.integers(0, 500)))
@settings(max_examples=50, deadline=BOUND)
def test_settings_are_valid_or_refused_in_a_sentence(values):
    parsed = attempt(RunSettings.parse, values)
    if parsed is not None:
        again = RunSettings.parse(json.loads(parsed.model_dump_json()))
        assert (again, again.run_id) == (parsed, parsed.run_id)
        assert check_run_id(parsed.run_id)


@given(some.text() | some.from_regex(r"[./\\]*DirectClassificationModel-[0-9a-f]{12}[./\\\n]*"))
@settings(max_examples=50, deadline=BOUND)
def test_no_name_of_a_run_leads_out_of_the_store(name):
    store = RunStore(Path("/somewhere/runs"))
    path = attempt(store.path, name)
    assert path is None or path.resolve().parent == store.root


# --- what stands in a link --------------------------------------------------------------------------------------------

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


# --- files of the store -----------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path) -> RunStore:
    store = RunStore(tmp_path / "runs")
    write_run(store, SETTINGS, 0.75, digit_accuracy=0.8)
    write_run(store, RunSettings(seed=1), 0.75)
    return store


def read_everything(store: RunStore) -> None:
    """All that the screens and the shell make of a store; nothing of it may fail."""
    for run in store:
        assert run.problem == "" or is_sentence(run.problem)
        if isinstance(run, Run):
            assert run.history_problem == "" or is_sentence(run.history_problem)
        problem, _ = check_run(run)
        assert problem == "" or is_sentence(problem)
    runs = load_runs(store)
    load_histories(store, runs["run_id"])
    summarise_cells(runs)
    leaderboard(runs)
    assert json.dumps(results_json(results_table(runs)))
    assert load_ensembles(store)[0] == []  # made-up weights are no network's
    for find in (mistakes.read_answers, findings.digit_accuracy_squared, early_stop_hypothesis, read_rounds):
        found = find(store, runs)
        assert all(map(is_sentence, found.problems))
    mistakes.count_pairs(mistakes.read_answers(store, runs).table)
    findings.epochs_to_stop(runs)
    dropout_artefact(store, runs)
    compare_orders(runs)
    findings.parameters_and_accuracy(runs)


@contextmanager
def replaced(path: Path, content: bytes) -> Iterator[None]:
    """The file with other content for a while."""
    whole = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(whole)


FILES = ("settings.json", "result.json", "history.jsonl", "weights.safetensors", "predictions.safetensors")
DEEP = b"[" * 100_000


@given(
    name=some.sampled_from(FILES), content=some.binary(max_size=300) | some.sampled_from([DEEP, DEEP + b"\n", b"\n"])
)
@few
def test_any_bytes_in_any_file_of_a_run(run, name, content):
    path = run.path(SETTINGS.run_id) / name
    with replaced(path, content):
        read_everything(run)


@given(
    name=some.sampled_from(["settings.json", "result.json"]),
    field=some.sampled_from(
        ["state", "error", "test_accuracy", "run_id", *Finished.model_fields, *RunSettings.model_fields]
    ),
    value=JSON,
)
@few
def test_any_value_in_any_field(run, name, field, value):
    path = run.path(SETTINGS.run_id) / name
    with replaced(path, json.dumps({**json.loads(path.read_bytes()), field: value}).encode()):
        read_everything(run)


@given(line=some.integers(0, 11), field=some.sampled_from([*EPOCH_FIELDS, "other"]), value=JSON)
@few
def test_any_value_in_any_record(run, line, field, value):
    path = run.path(SETTINGS.run_id) / "history.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line] = json.dumps({**json.loads(lines[line]), field: value}).encode() + b"\n"
    with replaced(path, b"".join(lines)):
        assert len(run.read(SETTINGS.run_id).history) in (line, 12)
        read_everything(run)


SHAPES = some.sampled_from([[], [0], [2], [999], [1000], [1000, 2], [1000, 3], [2, 1000], [3, 1000], [1000, 2, 2]])
TYPES = some.sampled_from(["float32", "float16", "uint8", "int64", "bool"])


@given(
    name=some.sampled_from([*PREDICTION_SHAPES, "other"]),
    shape=SHAPES,
    kind=TYPES,
    value=some.sampled_from([0, 1, 200, np.nan]),
)
@few
def test_any_array_among_the_predictions(run, name, shape, kind, value):
    path = run.path(SETTINGS.run_id) / "predictions.safetensors"
    with np.errstate(invalid="ignore"):
        array = np.full(shape, value).astype(kind)
    with replaced(path, safetensors.numpy.save({**safetensors.numpy.load(path.read_bytes()), name: array})):
        read_everything(run)


def test_weights_are_loaded_without_executing_code(run, tmp_path):
    """A pickle that would make a file, under the name of weights."""
    marker = tmp_path / "executed"
    pickled = b"cos\nsystem\n(S'touch " + str(marker).encode() + b"'\ntR."
    for name in ("weights.safetensors", "predictions.safetensors"):
        (run.path(SETTINGS.run_id) / name).write_bytes(pickled)
    found = run.read(SETTINGS.run_id)
    for read, name in ((found.weights, "weights"), (found.predictions, "predictions")):
        with pytest.raises(
            StoreError, match=rf"The file {name}\.safetensors of the run {SETTINGS.run_id} is damaged"
        ) as error:
            read()
        assert is_sentence(str(error.value))
    read_everything(run)
    assert not marker.exists()


def test_weights_that_are_no_numbers_do_not_answer(trained_store, tmp_path):
    shutil.copytree(trained_store, tmp_path / "runs")
    store = RunStore(tmp_path / "runs")
    first, second, *_ = store
    weights = first.weights()
    name = next(iter(weights))
    (first.path / "weights.safetensors").write_bytes(
        safetensors.numpy.save({**weights, name: np.full_like(weights[name], np.nan)})
    )
    summary = {name: value for name, value in second.summary.items() if name != "mean"}
    (second.path / "result.json").write_text(json.dumps(summary))
    ensembles, problems = load_ensembles(store)
    assert sum(len(ensemble.settings) for ensemble in ensembles) == 2
    assert problems == [
        f"The run {first.run_id} cannot answer: Its weights are not all finite numbers.",
    ]
    assert store.read(second.run_id).problem == f"The run {second.run_id} is set aside: mean in result.json is wrong."


def is_digit(frame: np.ndarray | None) -> bool:
    return frame is None or (frame.shape == (14, 14) and bool(((frame >= 0) & (frame <= 255)).all()))


# --- strokes ----------------------------------------------------------------------------------------------------------

STROKE = some.fixed_dictionaries(
    {"width": NUMBERS | some.floats(2, 60), "points": some.lists(some.floats(0, 280) | NUMBERS, max_size=30) | JSON}
)


@given(some.lists(STROKE | JSON, max_size=4) | JSON)
@settings(max_examples=60, deadline=BOUND)
def test_strokes_are_a_digit_or_refused_in_a_sentence(value):
    drawing = attempt(parse_strokes, value)
    assert drawing is None or is_digit(attempt(frame_from_strokes, drawing))


PADS = some.lists(some.lists(STROKE, max_size=1), min_size=2, max_size=2)
MESSAGE = some.fixed_dictionaries(
    {
        "sequence": some.integers(1, 9) | NUMBERS | JSON,
        "revision": some.just(0) | JSON,
        "pads": PADS | JSON,
        "truths": some.just([None, 7]) | JSON,
    }
)


@given(JSON | MESSAGE)
@settings(max_examples=80, deadline=BOUND)
def test_any_message_of_the_pads_leaves_two_drawings(message):
    after = _read_message({"pads": message}, PadState())
    assert after.error is None or is_sentence(after.error)
    assert type(after.sequence) is int
    assert is_digit(attempt(frame_from_strokes, after.first))


@given(some.text() | some.from_regex(r"[A-Za-z0-9_-]*", fullmatch=True))
@settings(max_examples=50, deadline=BOUND)
def test_any_text_as_a_links_drawing(text):
    attempt(decode_drawing, text)


# --- pictures ---------------------------------------------------------------------------------------------------------


def make_picture(kind: str, mode: str) -> bytes:
    picture = Image.new("L", (40, 50))
    picture.paste(255, (15, 10, 22, 40))
    file = io.BytesIO()
    picture.convert(mode).save(file, kind)
    return file.getvalue()


PICTURES = [
    make_picture(*kind)
    for kind in (
        ("PNG", "RGBA"),
        ("PNG", "I;16"),
        ("PNG", "P"),
        ("JPEG", "RGB"),
        ("GIF", "P"),
        ("WEBP", "RGB"),
        ("BMP", "L"),
    )
]


@given(
    whole=some.sampled_from(PICTURES),
    changes=some.lists(some.tuples(some.integers(0, 10_000), some.integers(0, 255)), max_size=6),
    size=some.none() | some.integers(0, 2_000),
)
@settings(max_examples=100, deadline=BOUND)
@pytest.mark.filterwarnings("ignore")
def test_a_damaged_picture_is_read_or_refused_in_a_sentence(whole, changes, size):
    content = bytearray(whole)
    for place, value in changes:
        content[place % len(content)] = value
    assert is_digit(attempt(frame_from_image, bytes(content[:size])))


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def insert_chunks(*chunks: bytes, at_end: bool) -> bytes:
    """A readable PNG with more chunks, behind its head or before its end."""
    whole = make_picture("PNG", "L")
    place = len(whole) - 12 if at_end else 33
    return whole[:place] + b"".join(chunks) + whole[place:]


LARGE = zlib.compress(bytes(2 * 2**20), 9)
TEXTS = {
    "a text": [chunk(b"zTXt", b"key\0\0" + LARGE)],
    "an international text": [chunk(b"iTXt", b"key\0\1\0\0\0" + LARGE)],
    "a colour profile": [chunk(b"iCCP", b"key\0\0" + LARGE)],
    "many texts": [chunk(b"zTXt", b"k%d\0\0" % n + zlib.compress(bytes(2**20), 9)) for n in range(70)],
}


@pytest.mark.parametrize("at_end", [False, True])
@pytest.mark.parametrize("kind", TEXTS)
def test_a_picture_whose_texts_unpack_too_large_says_so(kind, at_end):
    with pytest.raises(ValueError, match=r"^The picture's file carries a text or a colour profile .* without\.$"):
        frame_from_image(insert_chunks(*TEXTS[kind], at_end=at_end))


@pytest.mark.parametrize("exif", [b"garbage", b"MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 99, b"II*\0\xff\xff\xff\xff", b""])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.filterwarnings("ignore")
def test_a_picture_whose_exif_is_damaged_is_read_as_it_lies(kind, exif):
    picture = Image.new("RGB", (40, 50))
    picture.paste((255, 255, 255), (15, 10, 22, 40))
    plain, marked = io.BytesIO(), io.BytesIO()
    picture.save(plain, kind)
    picture.save(marked, kind, exif=b"Exif\0\0" + exif)
    assert (frame_from_image(marked.getvalue()) == frame_from_image(plain.getvalue())).all()


def pack_png(width: int, height: int, depth: int, kind: int, channels: int) -> bytes:
    """A PNG of zeros, which packs a thousandfold, with a palette in which every colour is transparent."""

    row, packer = bytes(1 + width * channels * depth // 8), zlib.compressobj(1)
    rows = b"".join([packer.compress(row) for _ in range(height)]) + packer.flush()
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0))
    palette = chunk(b"PLTE", bytes(768)) + chunk(b"tRNS", bytes(256)) if kind == 3 else b""
    return b"\x89PNG\r\n\x1a\n" + head + palette + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


SIDE = int(MAX_WHOLE**0.5)
LARGEST = {
    "colours with transparency": lambda: pack_png(SIDE, SIDE, 8, 6, 4),
    "sixteen bits": lambda: pack_png(SIDE, SIDE, 16, 0, 1),
    "a palette with transparency": lambda: pack_png(SIDE, SIDE, 8, 3, 1),
    "more than is allowed": lambda: pack_png(8_900, 8_900, 8, 6, 4),
    "a single row": lambda: pack_png(SIDE * SIDE, 1, 8, 6, 4),
}
READ_WITH_LIMIT = """
import resource, sys
from core.drawing.photo import frame_from_image
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    frame_from_image(sys.stdin.buffer.read())
except ValueError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
ALLOWED = (
    250  # MB that a picture may take on top of what the program takes; 30 MB of files unpack to a thousand times that
)


@pytest.mark.parametrize("kind", LARGEST)
def test_a_picture_cannot_exhaust_memory(kind):
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (1_000 * 2**20, 1_000 * 2**20))  # where it fails, it fails alone

    done = subprocess.run(
        [sys.executable, "-c", READ_WITH_LIMIT], input=LARGEST[kind](), cwd=ROOT, capture_output=True, preexec_fn=limit,
        timeout=60, check=True,
    )  # fmt: skip
    sentence, peak = done.stdout.decode().splitlines()
    assert is_sentence(sentence)
    assert int(peak) < ALLOWED
