"""The networks in a process of their own: its answers, its end, and what happens when it is lost."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pytest

from core.inference.client import CONNECTIONS, InferenceError, Networks
from core.inference.service import InferenceService, RunSelection
from core.networks.attribution import attribute
from core.networks.ensemble import load_ensembles
from core.runs.store import RunStore
from support.servers import ROOT

pytestmark = pytest.mark.process

PAIR = np.zeros((2, 14, 14), np.float32)
PAIR[0, 3:11, 6:8] = PAIR[1, 3:5, 3:11] = 220


@pytest.fixture(scope="module")
def networks() -> Networks:
    return Networks()


@pytest.fixture
def trained(trained_store) -> RunSelection:
    return RunSelection(trained_store, tuple(run.run_id for run in RunStore(trained_store)))


def test_answers_are_those_of_the_networks_themselves(networks, trained):
    ensembles, _ = load_ensembles(RunStore(trained.root))
    expected = [verdict for ensemble in ensembles for verdict in ensemble.answer(PAIR)]
    answers = networks.ask(InferenceService.answer, trained, PAIR)
    assert [each.settings for each in answers] == [each.settings for each in expected]
    assert [each.probabilities for each in answers] == [pytest.approx(each.probabilities) for each in expected]
    cells, problems = networks.ask(InferenceService.load, trained)
    assert [[settings.seed for settings in cell] for cell in cells] == [[0, 1], [0, 1]]
    assert [cell[0] for cell in cells] == [each.settings for each in answers]
    assert problems == []
    pixels = networks.ask(InferenceService.attribute, trained, cells[0][0].cell(), 1, PAIR, method="Occlusion").pixels
    assert pixels == pytest.approx(attribute(ensembles[0], [1], PAIR, "Occlusion").pixels)


def test_what_is_wrong_with_a_question_comes_back(networks, trained):
    with pytest.raises(ValueError, match=r"'\.\./etc' is no run"):
        networks.ask(InferenceService.walk_through, trained.root, "../etc", PAIR)
    with pytest.raises(ValueError, match="no longer in the store"):
        networks.ask(InferenceService.attribute, trained, "a cell", None, PAIR, "Occlusion")
    nothing = RunSelection(trained.root, ("TwoChannelsModel-0123456789ab",))
    assert networks.ask(InferenceService.answer, nothing, PAIR) == []


def test_a_process_that_is_killed_is_replaced(networks, trained):
    expected = networks.ask(InferenceService.answer, trained, PAIR)
    lost = networks.pid
    with ThreadPoolExecutor(2 * CONNECTIONS) as pool:  # more than can be under way: some wait for a pipe that breaks
        asked = [pool.submit(networks.ask, InferenceService.answer, trained, PAIR) for _ in range(4 * CONNECTIONS)]
        os.kill(lost, signal.SIGKILL)
        for future in asked:
            assert [each.decisions for each in future.result()] == [each.decisions for each in expected]
    assert networks.pid != lost
    assert not psutil.pid_exists(lost)


def test_a_defect_there_is_one_sentence_here():
    with pytest.raises(InferenceError, match="was lost twice"):
        Networks().ask(lambda answerer: answerer)  # it has no method of that name


def test_the_process_ends_with_its_server(trained):
    script = f"""
import sys
from pathlib import Path
from core.inference.service import InferenceService, RunSelection; from core.inference.client import Networks
networks = Networks()
networks.ask(InferenceService.load, RunSelection(Path({str(trained.root)!r}), {trained.run_ids!r}))
print(networks.pid, "torch" in sys.modules, flush=True)
sys.stdin.read()
"""
    server = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    pid, imported = server.stdout.readline().split()
    assert imported == "False"
    process = psutil.Process(int(pid))
    server.kill()
    server.communicate()
    process.wait(timeout=30)
