"""The run store: round trips, torn files, strangers, a full disk."""

import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import safetensors.numpy

from core.runs.files import write_atomically
from core.runs.records import EpochRecord
from core.runs.settings import RunSettings
from core.runs.store import RunStore, StoreError, UnreadableRun
from core.runs.writer import RunResult

SETTINGS = RunSettings(model="TwoChannelsModel", seed=4)


def record(epoch: int) -> dict:
    return vars(EpochRecord(epoch, 0.5, None, None, 0.5, 0.5, 0.5, None, 0.5))


def result(epochs: int = 3, accuracy: float = 0.8) -> RunResult:
    weights = safetensors.numpy.save({"score": np.arange(3, dtype=np.float16)})
    predictions = safetensors.numpy.save({"probability": np.array([0.25, 0.75], dtype=np.float32)})
    history = [record(epoch) for epoch in range(1, epochs + 1)]
    summary = {
        "test_accuracy": accuracy, "training_accuracy": 1.0, "test_digit_accuracy": None, "epochs": epochs,
        "stop_reason": "patience", "seconds": 1.0, "mean": 33.0, "deviation": 71.0,
    }  # fmt: skip
    return RunResult(summary, history, weights, predictions)


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "store")


@pytest.fixture
def finished(store):
    writer = store.claim(SETTINGS)
    writer.finish(result())
    writer.close()
    return store.path(SETTINGS.run_id)


def test_a_store_that_does_not_exist_is_empty(store, tmp_path):
    assert list(store) == []
    assert store.signature() == RunStore(tmp_path / "nothing").signature()
    assert store.foreign() == []


def test_round_trip(store, finished):
    run = store.read(SETTINGS.run_id)
    assert (run.state, run.settings, run.problem) == ("finished", SETTINGS, "")
    assert run.summary["test_accuracy"] == 0.8
    assert run.history == [record(1), record(2), record(3)]
    assert run.weights()["score"].tolist() == [0, 1, 2]
    assert run.predictions()["probability"].tolist() == [0.25, 0.75]
    assert [r.run_id for r in store] == [SETTINGS.run_id]


def test_a_run_that_is_being_written_is_active_and_has_one_writer(store):
    writer = store.claim(SETTINGS)
    writer.append(record(1))
    assert store.read(SETTINGS.run_id).state == "active"
    assert store.read(SETTINGS.run_id).history == [record(1)]
    assert store.claim(SETTINGS) is None
    writer.close()
    assert store.read(SETTINGS.run_id).state == "interrupted"


def test_a_run_started_again_keeps_its_epochs_and_goes_on(store):
    for known in (2, 3):
        writer = store.claim(SETTINGS)
        added = [writer.append(record(epoch)) for epoch in range(1, known + 1)]
        assert added.count(True) == known - added.index(True)
        writer.close()
    assert [r["epoch"] for r in store.read(SETTINGS.run_id).history] == [1, 2, 3]


def test_stopped_and_failed_runs_keep_their_history_and_say_why(store):
    writer = store.claim(SETTINGS)
    writer.append(record(1))
    writer.stop()
    writer.close()
    stopped = store.read(SETTINGS.run_id)
    assert (stopped.state, len(stopped.history)) == ("stopped", 1)
    writer = store.claim(SETTINGS)
    writer.fail("The worker ran out of luck.")
    writer.close()
    failed = store.read(SETTINGS.run_id)
    assert (failed.state, failed.problem, len(failed.history)) == ("failed", "The worker ran out of luck.", 1)


def test_history_cut_at_every_byte_of_its_last_two_lines_loses_only_what_is_torn(store):
    writer = store.claim(SETTINGS)
    for epoch in (1, 2, 3):
        writer.append(record(epoch))
    writer.close()
    path = store.path(SETTINGS.run_id) / "history.jsonl"
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for size in range(len(lines[0]), len(whole) + 1):
        path.write_bytes(whole[:size])
        expected = 1 + (size >= len(lines[0] + lines[1])) + (size == len(whole))
        assert [r["epoch"] for r in store.read(SETTINGS.run_id).history] == list(range(1, expected + 1))
    path.write_bytes(whole[:-7])
    writer = store.claim(SETTINGS)
    assert writer.append(record(3))
    writer.close()
    assert path.read_bytes() == whole


@pytest.mark.parametrize("line", [b"null\n", b"[]\n", b'{"epoch": 2}\n', b"\xff\xfe\n", b'{"epoch": 7}\n'])
def test_what_is_no_record_ends_the_history(store, line):
    writer = store.claim(SETTINGS)
    writer.append(record(1))
    writer.close()
    with (store.path(SETTINGS.run_id) / "history.jsonl").open("ab") as file:
        file.write(line)
    assert store.read(SETTINGS.run_id).history == [record(1)]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("settings.json", b"", "settings.json is not JSON"),
        ("settings.json", b"[1]", "settings.json is not a JSON object"),
        ("settings.json", b'{"dropout": 5}', "dropout is '5', but must be a number from 0 to 0.9"),
        ("settings.json", RunSettings(seed=9).model_dump_json().encode(), "the settings belong to the run Direct"),
        ("result.json", b"{", "result.json is not JSON"),
        ("result.json", b"{}", "state in result.json is wrong"),
        ("result.json", b'{"state": "finished", "test_accuracy": 7.0}', "test_accuracy in result.json is wrong"),
    ],
)
def test_a_damaged_run_is_set_aside_by_name_and_the_others_stay(store, finished, name, content, sentence):
    other = store.claim(RunSettings(seed=1))
    other.finish(result())
    other.close()
    (finished / name).write_bytes(content)
    states = {run.run_id: run for run in store}
    damaged = states.pop(SETTINGS.run_id)
    assert damaged.state == "damaged"
    assert SETTINGS.run_id in damaged.problem
    assert sentence in damaged.problem
    assert [run.state for run in states.values()] == ["finished"]


def test_missing_settings_are_named(store, finished):
    (finished / "settings.json").unlink()
    assert "settings.json is missing" in store.read(SETTINGS.run_id).problem


def test_missing_and_damaged_arrays_are_one_sentence(store, finished):
    (finished / "weights.safetensors").write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00{not safetensors")
    with pytest.raises(StoreError, match=r"The file weights\.safetensors of the run .* is damaged"):
        store.read(SETTINGS.run_id).weights()
    (finished / "predictions.safetensors").unlink()
    with pytest.raises(StoreError, match=r"has no predictions\.safetensors; train it again"):
        store.read(SETTINGS.run_id).predictions()
    store.drop_weights(SETTINGS.run_id)
    assert not store.read(SETTINGS.run_id).has_weights


def test_a_run_that_is_reopened_keeps_its_history_and_can_be_claimed(store, finished):
    store.reopen(SETTINGS.run_id)
    run = store.read(SETTINGS.run_id)
    assert (run.state, len(run.history)) == ("interrupted", 3)
    assert store.claim(SETTINGS).epochs == 3
    store.reopen(RunSettings(seed=77).run_id)  # there is no such run, so there is nothing to forget


def test_a_store_in_which_nothing_can_be_forgotten_is_one_sentence(store, finished, monkeypatch):
    def refuse(path, missing_ok):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(type(finished), "unlink", refuse)
    with pytest.raises(StoreError, match="cannot be written: Permission denied"):
        store.reopen(SETTINGS.run_id)


def test_strangers_in_the_store_are_passed_over(store, finished):
    (store.root / "holiday").mkdir()
    (store.root / "notes.txt").write_text("hello")
    (store.root / ".hidden").mkdir()
    assert [run.run_id for run in store] == [SETTINGS.run_id]
    assert store.foreign() == ["holiday", "notes.txt"]


def test_signature_changes_when_a_run_comes_and_when_it_ends(store, finished):
    signatures = {store.signature()}
    writer = store.claim(RunSettings(seed=1))
    signatures.add(store.signature())
    writer.stop()
    writer.close()
    signatures.add(store.signature())
    assert len(signatures) == 3


def test_a_signature_can_leave_out_runs_that_train(store, finished):
    before, other = store.signature(), RunSettings(seed=1)
    writer = store.claim(other)
    assert store.signature() != before == store.signature(without={other.run_id})
    assert store.signature([SETTINGS.run_id, other.run_id], without={other.run_id}) == before
    writer.stop()
    writer.close()


def test_an_ended_run_is_read_again_only_when_its_folder_has_changed(store, finished, monkeypatch):
    def set_times(seconds: int) -> None:
        for path in (*finished.iterdir(), finished):
            os.utime(path, (seconds, seconds))

    def count_reads() -> int:
        with monkeypatch.context() as patch:
            read, names = store.read, []
            patch.setattr(store, "read", lambda name: names.append(name) or read(name))
            assert [run.run_id for run in store] == [SETTINGS.run_id]
        return len(names)

    assert (count_reads(), count_reads()) == (1, 1)  # it has just ended: it may change within the clock's same tick
    set_times(1_000_000)
    assert (count_reads(), count_reads()) == (1, 0)
    (finished / "weights.safetensors").unlink()
    assert count_reads() == 1
    assert not next(iter(store)).has_weights
    set_times(3_000_000)
    assert (count_reads(), count_reads()) == (1, 0)
    (finished / "result.json").write_text("{")  # in place, which leaves the folder's time as it is
    assert next(iter(store)).state == "damaged"
    store.claim(SETTINGS).close()
    writer = store.claim(SETTINGS)
    writer.finish(result())
    writer.close()
    store.reopen(SETTINGS.run_id)  # from here on it is no ended run
    set_times(2_000_000)
    assert (count_reads(), count_reads()) == (1, 1)


class FullDisk:
    """An unbuffered file on a disk with no space left: part of a write arrives, then none."""

    def __init__(self, file):
        self.file = file

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def write(self, content):
        self.file.write(content[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def __getattr__(self, name):
        return getattr(self.file, name)


def test_a_full_disk_leaves_no_torn_line_and_the_history_goes_on_later(store, monkeypatch):
    writer = store.claim(SETTINGS)
    writer.append(record(1))
    real_open = type(store.root).open
    with monkeypatch.context() as full:
        full.setattr(type(store.root), "open", lambda path, *a, **k: FullDisk(real_open(path, *a, **k)))
        with pytest.raises(OSError, match="No space left on device"):
            writer.append(record(2))
    assert writer.append(record(2))
    writer.close()
    assert store.read(SETTINGS.run_id).history == [record(1), record(2)]


def test_a_failed_atomic_write_keeps_the_old_file_and_leaves_nothing_beside_it(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def fail(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("core.runs.files.os.fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_store_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"The store .* cannot be written: Not a directory"):
        RunStore(tmp_path / "file").claim(SETTINGS)


def test_the_commit_mark_is_written_last(store, monkeypatch):
    writer, written = store.claim(SETTINGS), []
    monkeypatch.setattr("core.runs.writer.write_atomically", lambda path, content: written.append(path.name))
    writer.finish(result())
    writer.close()
    assert written == ["history.jsonl", "weights.safetensors", "predictions.safetensors", "result.json"]


def test_files_are_for_people(store, finished):
    assert json.loads((finished / "settings.json").read_text())["model"] == "TwoChannelsModel"
    assert len((finished / "history.jsonl").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    "name",
    [
        "..", ".", "", "/etc", "TwoChannelsModel-000000000000/..", "../TwoChannelsModel-000000000000",
        "TwoChannelsModel-000000000000\n", "TwoChannelsModel-000000000000\0", "TwoChannelsModel-00000000000é",
        "TwoChannelsModel-0000000000００", "twochannelsmodel-000000000000", "C:TwoChannelsModel-000000000000",
    ],
)  # fmt: skip
def test_no_name_leads_out_of_the_store(store, name):
    for use in (store.path, store.read, store.is_locked, store.drop_weights):
        with pytest.raises(ValueError, match="is no run"):
            use(name)


def test_a_run_that_one_thread_claims_another_can_let_go_of(tmp_path):
    store = RunStore(tmp_path)
    writer = store.claim(SETTINGS)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(writer.close).result()
    assert not store.is_locked(SETTINGS.run_id)
    again = store.claim(SETTINGS)
    assert again is not None
    again.close()


def test_a_run_that_cannot_be_read_is_no_run(store, finished):
    assert store.open(SETTINGS.run_id) == store.read(SETTINGS.run_id)
    (finished / "settings.json").write_bytes(b"{")
    missing = SETTINGS.model_copy(update={"seed": 99}).run_id
    for run_id, state, reason in ((SETTINGS.run_id, "damaged", "is set aside"), (missing, "missing", "is not in the")):
        run = store.read(run_id)
        assert isinstance(run, UnreadableRun)
        assert (run.run_id, run.state) == (run_id, state)
        with pytest.raises(StoreError, match=f"^The run {run_id} {reason}") as raised:
            store.open(run_id)
        assert str(raised.value) == run.problem
