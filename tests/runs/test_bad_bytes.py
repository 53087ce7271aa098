"""Settings, names and files of the store, right or wrong: a right answer or one clear sentence."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as some

from core.analysis import findings, mistakes
from core.analysis.agreement import compare_orders
from core.analysis.artefact import dropout_artefact
from core.analysis.comparison import read_rounds
from core.analysis.leaderboard import leaderboard
from core.analysis.tables import load_histories, load_runs, results_json, results_table, summarise_cells
from core.analysis.traces import early_stop_hypothesis
from core.networks.ensemble import load_ensembles
from core.runs.records import EPOCH_FIELDS, PREDICTION_SHAPES, Finished
from core.runs.settings import RunSettings, check_run_id
from core.runs.store import Run, RunStore, StoreError
from core.training.verify import check_run
from support.any_values import BOUND, JSON, attempt, few, is_sentence
from support.fake_runs import write_run

SETTINGS = RunSettings(model="TwoChannelsModel")


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
