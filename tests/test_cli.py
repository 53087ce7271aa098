"""The command line for real: a process of its own, on a store of its own."""

import json
import re
import shutil
import signal
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from PIL import Image, ImageOps
from torchvision.datasets import MNIST

from core import cli
from core.cli import app
from core.mnist.files import DATA, unpack_mnist
from core.runs.settings import MODEL_NAMES, RunSettings
from core.runs.store import RunStore
from core.runs.studies import STUDIES, Study
from support.fake_runs import write_run
from support.servers import ROOT

pytestmark = pytest.mark.process

TINY = ("--training-pairs", "100", "--max-epochs", "2")
PATIENCE = 120  # seconds; a bound for what takes a few
TABLE_KEYS = ["model", "dropout", "dropout_at_evaluation", "rounds", "mean", "std", "report_mean", "report_std"]
PREDICT_KEYS = ["model", "dropout", "rounds", "first_le_second", "probability"]


def run_cli(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "core", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)


def read_json(*arguments: object) -> list[dict]:
    done = run_cli(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_one_sentence(done: subprocess.CompletedProcess[str], status: int, sentence: str) -> None:
    assert (done.returncode, done.stdout) == (status, "")
    assert [line for line in done.stderr.splitlines() if "0/1 runs" not in line] == [f"Error: {sentence}"]


@pytest.fixture(scope="module")
def shell_trained(tmp_path_factory) -> tuple[Path, str]:
    """A store with the two rounds that `train` made, and what it printed."""
    store = tmp_path_factory.mktemp("cli") / "runs"
    done = run_cli("train", "--nb_rounds", 2, *TINY, "--store", store)
    assert done.returncode == 0, done.stderr
    return store, done.stdout


@pytest.fixture
def store(tmp_path, trained_store) -> RunStore:
    """Two rounds each of TwoChannelsModel and DirectClassificationModel, to be changed at will."""
    shutil.copytree(trained_store, tmp_path / "runs")
    return RunStore(tmp_path / "runs")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> dict[str, Path]:
    """A seven and a two of MNIST's test half as PNG files of 280 × 280, light on dark as there, and dark on light."""
    folder = tmp_path_factory.mktemp("pictures")
    unpack_mnist()
    digits = MNIST(DATA, train=False)
    assert [digits[index][1] for index in (0, 1)] == [7, 2]
    files = {}
    for index, name in enumerate(("seven", "two")):
        image = digits[index][0].resize((280, 280))
        for look, picture in (("", image), (" on paper", ImageOps.invert(image))):
            files[name + look] = folder / f"{name}{look}.png"
            picture.save(files[name + look])
    return files


# --- train ------------------------------------------------------------------------------------------------------------


def test_train_alone_is_what_the_reports_script_does():
    parameters = {p.name: p.default for p in typer.main.get_command(app).commands["train"].params}
    assert (parameters["model"], parameters["nb_rounds"]) == ("DirectClassificationModel", 10)
    report = RunSettings().model_dump()
    assert {name: parameters[name] for name in report} == report


def test_train_prints_each_round_and_then_their_mean_and_deviation(shell_trained):
    store, printed = shell_trained
    first, second, last = printed.splitlines()
    pattern = r"round with seed (\d): test accuracy (0\.\d{3}) after 2 epochs \(max_epochs\)"
    lines = [re.fullmatch(pattern, line).groups() for line in (first, second)]
    assert [seed for seed, _ in lines] == ["0", "1"]
    accuracies = [run.summary["test_accuracy"] for run in sorted(RunStore(store), key=lambda run: run.settings.seed)]
    assert [accuracy for _, accuracy in lines] == [f"{accuracy:.3f}" for accuracy in accuracies]
    mean, deviation = statistics.fmean(accuracies), statistics.stdev(accuracies)
    assert last == f"DirectClassificationModel: {mean:.3f} ± {deviation:.3f} (test accuracy, n = 2)"


def test_rounds_that_are_in_the_store_are_not_trained_again(shell_trained):
    store, printed = shell_trained
    before = RunStore(store).signature()
    assert run_cli("train", "--nb-rounds", 2, *TINY, "--store", store).stdout == printed
    assert RunStore(store).signature() == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--dropout", "0.95"), "dropout is '0.95', but must be a number from 0 to 0.9."),
        (("--dropout", "nan"), "dropout is 'nan', but must be a number from 0 to 0.9."),
        (("--training-pairs", "99"), "training_pairs is '99', but must be a whole number from 100 to 25,000."),
        (("--nb_rounds", "0"), "rounds is 0, but must be between 1 and 100."),
        (("--rounds", "101"), "rounds is 101, but must be between 1 and 100."),
        (("--model", "LeNet"), f"model is 'LeNet', but must be one of {', '.join(MODEL_NAMES)}."),
    ],
)
def test_bad_settings_end_with_status_2_and_one_sentence(tmp_path, arguments, sentence):
    assert_one_sentence(run_cli("train", *arguments, "--store", tmp_path / "runs"), 2, sentence)
    assert not (tmp_path / "runs").exists()


@pytest.mark.cluster
def test_ctrl_c_stops_in_order_and_keeps_what_is_finished(tmp_path):
    settings = RunSettings(training_pairs=100, max_epochs=40)
    store, rounds = RunStore(tmp_path / "runs"), settings.rounds(20)
    options = f"--nb_rounds 20 --training-pairs 100 --max-epochs 40 --workers 1 --store {store.root}"
    command = [sys.executable, "-m", "core", "train", *options.split()]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while store.read(rounds[0].run_id).state != "finished" or not store.read(rounds[1].run_id).history:
            with pytest.raises(subprocess.TimeoutExpired):  # it must not end by itself
                process.wait(timeout=0.02)
        process.send_signal(signal.SIGINT)
        printed, messages = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert "Traceback" not in printed + messages
    states = [store.read(settings.run_id).state for settings in rounds]
    finished = states.count("finished")
    assert states == ["finished"] * finished + ["stopped"] * (20 - finished)
    assert store.read(rounds[1].run_id).history
    assert f"(test accuracy, n = {finished})" in printed if finished > 1 else "n = 1" in printed
    assert printed.count(": stopped, ") == 20 - finished


@pytest.fixture
def scheduler(tmp_path):
    """The address of a Dask scheduler with one worker, as on a cluster: processes of their own."""
    dask = [sys.executable, "-m", "dask"]
    hosts = ["--host", "127.0.0.1"]
    options = {"cwd": ROOT, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*dask, "scheduler", *hosts, "--port", "0", "--no-dashboard"], **options) as boss:
        address = next(m[1] for line in boss.stderr if (m := re.search(r"Scheduler at: +(tcp://\S+)", line)))
        local = ["--local-directory", str(tmp_path), "--nthreads", "1", "--no-dashboard", *hosts]
        with subprocess.Popen([*dask, "worker", address, *local], **options) as worker:
            yield address
            worker.terminate()
            worker.communicate()
        boss.terminate()
        boss.communicate()


def test_a_clusters_scheduler_trains_by_its_address(tmp_path, scheduler):
    done = run_cli("train", "--nb_rounds", 1, *TINY, "--scheduler", scheduler, "--store", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    assert [(run.state, len(run.history)) for run in RunStore(tmp_path / "runs")] == [("finished", 2)]
    assert done.stdout.splitlines()[-1].endswith("(test accuracy, n = 1)")


def test_an_address_without_a_scheduler_is_one_sentence(tmp_path):
    # The product waits for 20 seconds; a test need not.
    script = "import core.cluster.connection, core.cli\ncore.cluster.connection.CONNECT_SECONDS = 1\ncore.cli.app()"
    arguments = ["train", "--nb_rounds", "1", "--scheduler", "tcp://127.0.0.1:9", "--store", str(tmp_path / "runs")]
    done = subprocess.run([sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True)
    place = "tcp://127.0.0.1:9"
    reason = f"Timed out trying to connect to {place} after 1 s"
    assert_one_sentence(done, 1, f"No Dask scheduler answers at {place} ({reason}).")
    assert not (tmp_path / "runs").exists()


def test_a_study_keeps_its_results_alone_and_is_not_trained_again(tmp_path, monkeypatch):
    cells = (RunSettings(model="TwoChannelsModel", max_epochs=2), RunSettings(model="TwoChannelsModel"))
    study = Study("twins", "?", cells, 1)
    monkeypatch.setitem(cli.STUDIES, "twins", study)
    monkeypatch.setattr(cli, "study_run_ids", lambda: {cells[0].run_id})
    store = RunStore(tmp_path)
    for settings in cells:
        write_run(store, settings, 0.75)
    cli.reproduce(store=tmp_path, study="twins")
    assert [store.read(settings.run_id).is_result_alone for settings in cells] == [True, False]
    assert_one_sentence(
        run_cli("reproduce", "--study", "none"), 2, f"--study is 'none', but must be one of {', '.join(STUDIES)}."
    )


# --- the store --------------------------------------------------------------------------------------------------------


def finish_rounds(store: RunStore, settings: RunSettings, *accuracies: float) -> None:
    for round_settings, accuracy in zip(settings.rounds(len(accuracies)), accuracies, strict=True):
        write_run(store, round_settings, accuracy)


def test_the_table_has_every_cell_of_the_reports_and_ours(tmp_path):
    store = RunStore(tmp_path / "runs")
    finish_rounds(store, RunSettings(), 0.95, 0.97)
    finish_rounds(store, RunSettings(dropout=0.5, dropout_at_evaluation=True), 0.94)
    rows = read_json("table", "--store", store.root)
    assert [list(row) for row in rows] == [TABLE_KEYS] * 15
    assert [row["model"] for row in rows[:14]] == [*MODEL_NAMES, *MODEL_NAMES]
    assert [row["dropout"] for row in rows] == [0] * 7 + [0.25] * 7 + [0.5]
    assert list(rows[0].values()) == ["TwoChannelsModel", 0.0, False, 0, None, None, 0.798, 0.011]
    figures = ["DirectClassificationModel", 0.0, False, 2, 0.96, pytest.approx(0.014142, abs=1e-6), 0.965, 0.007]
    assert list(rows[6].values()) == figures
    assert list(rows[14].values()) == ["DirectClassificationModel", 0.5, True, 1, 0.94, None, None, None]


def test_the_table_for_people_shows_the_same_figures(tmp_path):
    store = RunStore(tmp_path / "runs")
    finish_rounds(store, RunSettings(), 0.95, 0.97)
    done = run_cli("table", "--store", store.root)
    line = next(line for line in done.stdout.splitlines() if "Direct" in line)
    assert line.split() == ["DirectClassificationModel", "0", "2", "0.960", "±", "0.014", "0.965", "±", "0.007"]


def test_runs_lists_settings_state_and_figures(shell_trained):
    store, _ = shell_trained
    rows = read_json("runs", "--store", store)
    keys = ["run_id", "state", *RunSettings.model_fields, "epochs", "test_accuracy", "weights", "problem"]
    assert [list(row) for row in rows] == [keys] * 2
    known = {settings.run_id: settings for settings in RunSettings(training_pairs=100, max_epochs=2).rounds(2)}
    for row in rows:
        expected = {"state": "finished", **known[row["run_id"]].model_dump(), "epochs": 2, "weights": True}
        assert row.items() >= expected.items()
        assert 0 < row["test_accuracy"] < 1


def test_check_recomputes_every_accuracy_from_the_weights(store):
    done = run_cli("runs", "check", "--store", store.root)
    assert done.returncode == 0
    assert done.stdout == "4 runs, 4 test accuracies recomputed, 0 problems.\n"


def test_check_finds_what_is_wrong(store):
    runs = {(run.settings.model[:3], run.settings.seed): run for run in store}
    wrong, short, foreign, other = (runs[key] for key in (("Two", 0), ("Two", 1), ("Dir", 0), ("Dir", 1)))
    summary = {**wrong.summary, "test_accuracy": wrong.summary["test_accuracy"] + 0.001}
    (wrong.path / "result.json").write_text(json.dumps(summary))
    lines = (short.path / "history.jsonl").read_text().splitlines(keepends=True)
    (short.path / "history.jsonl").write_text("".join(lines[:-1]) + lines[-1][:20])
    # One network's weights under another's name, and weights of the right shape from another round.
    shutil.copy(foreign.path / "weights.safetensors", other.path)
    shutil.copy(wrong.path / "weights.safetensors", foreign.path)
    done = run_cli("runs", "check", "--store", store.root)
    assert done.returncode == 1
    *problems, last = sorted(done.stdout.splitlines(), key=lambda line: line[0].isdigit())
    assert last == "4 runs, 1 test accuracies recomputed, 4 problems."
    assert len(problems) == 4
    found = "\n".join(problems)
    assert f"The predictions of {wrong.run_id} do not give its stored test accuracy." in found
    assert f"The history of {short.run_id} has 5 of 6 epochs." in found
    assert f"The run {foreign.run_id} cannot answer: The weights belong to another network" in found
    stored = other.summary["test_accuracy"]
    assert re.search(rf"The weights of {other.run_id} give a test accuracy of 0\.\d+, stored is {stored:.3f}\.", found)


# --- predict ----------------------------------------------------------------------------------------------------------


def test_predict_answers_for_every_architecture(trained_store, pictures):
    rows = read_json("predict", pictures["seven"], pictures["two"], "--store", trained_store)
    assert [list(row) for row in rows] == [PREDICT_KEYS, [*PREDICT_KEYS, "digits"]]
    assert [(row["model"], row["dropout"], row["rounds"]) for row in rows] == [
        ("TwoChannelsModel", 0.0, 2),
        ("DirectClassificationModel", 0.0, 2),
    ]
    assert rows[1]["digits"] == [7, 2]
    assert rows[1]["first_le_second"] is False
    assert all(0 <= row["probability"] <= 1 for row in rows)
    # Dark on light is read like light on dark; this time one architecture, and printed for people.
    choice = ("--model", "DirectClassificationModel", "--store", trained_store)
    done = run_cli("predict", pictures["seven on paper"], pictures["two on paper"], *choice)
    lines = [line.split() for line in done.stdout.splitlines() if "Model" in line]
    assert lines == [["DirectClassificationModel", "0", "2", "no", f"{rows[1]['probability']:.3f}", "7,", "2"]]


def test_a_picture_that_cannot_be_read_is_one_sentence(tmp_path, trained_store, pictures):
    (tmp_path / "text.png").write_text("no picture")
    done = run_cli("predict", tmp_path / "text.png", pictures["two"], "--store", trained_store)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"Error: [^\n]* no picture that can be read[^\n]*\.\n", done.stderr)
    Image.new("L", (50, 50), 128).save(tmp_path / "even.png")
    done = run_cli("predict", pictures["two"], tmp_path / "even.png", "--store", trained_store)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"Error: [^\n]+\.\n", done.stderr)


def test_predict_without_networks_says_how_to_get_one(tmp_path, trained_store, pictures):
    images = (pictures["seven"], pictures["two"])
    hint = "train one with: python -m core train --model NAME."
    empty = run_cli("predict", *images, "--store", tmp_path / "none")
    assert_one_sentence(empty, 1, f"No trained network is in {tmp_path / 'none'}; {hint}")
    unknown = run_cli("predict", *images, "--model", "LeNet", "--store", trained_store)
    assert_one_sentence(unknown, 2, f"model is 'LeNet', but must be one of {', '.join(MODEL_NAMES)} or all.")


def test_a_picture_without_an_end_is_read_no_further_than_allowed(trained_store, pictures):
    done = run_cli("predict", "/dev/zero", pictures["two"], "--store", trained_store)
    assert_one_sentence(done, 1, "/dev/zero: The picture's file is larger than the 20 MB allowed.")
