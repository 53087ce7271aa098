"""How much faster the engine trains than a plain loop: `python -m benchmarks.training`.

The plain loop is the report's procedure as it is usually written: a DataLoader, the default layout, ordinary Adam and
dropout, each branch called on its own digit, one run after another in one process with PyTorch's default threads.
Both train the same rounds for the same number of epochs, in turns, so that a machine that drifts slows both. The
engine's runs are whole ones: looked at on the test pairs every five epochs, tested, packed and written to a store.

    (no option)   runs a second, per architecture and overall; exit status 1 if the engine is not 2.5 times as fast
    --ablation    what each measure brings: throughput with all of them over that without it
    --accuracy    ten rounds of two architectures with both loops, early stopping on; exit status 1 if the mean
                  test accuracies differ by two standard errors of the difference or more
    --table       the whole of Table 1 (7 architectures × 2 columns × 10 rounds): minutes of the engine, measured whole,
                  and of the plain loop, extrapolated from one run per cell
"""

import argparse
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import dask
import distributed  # noqa: F401  # brings Dask's configuration of workers
import torch
from torch import Tensor
from torch.utils.data import default_collate

from benchmarks.plain_loop import PlainNetwork, train_plainly
from core.cluster.engine import Engine
from core.cluster.host import KEEP_MEMORY, NICENESS
from core.follow import UNWATCHED
from core.mnist.pairs import Pairs
from core.networks.architectures import Branches, build_network, count_parameters
from core.processes import ROOT
from core.runs.plan import SHIPPED_DROPOUTS, is_shipped_with_weights, plan_reproduction
from core.runs.settings import REPORT_MODELS, RunSettings
from core.runs.store import RunStore
from core.training.packing import describe_machine
from core.training.procedure import Training

TYPICAL_EPOCHS = 68  # of a run, about the mean of the reproduction's
REQUIRED = 2.5  # times the plain loop's throughput
CORES = os.cpu_count() or 1
COMPARED = ("WeightSharingBranchesToVecModel", "DirectClassificationModel")  # --accuracy


# --- ours without one of its measures ---------------------------------------------------------------------------------
class Loaded:
    """A tensor whose rows are fetched one by one and put together again, as a DataLoader does."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    def __getitem__(self, rows: Tensor) -> Tensor:
        return default_collate([self.tensor[row] for row in rows.tolist()])

    def __len__(self) -> int:
        return len(self.tensor)


def load_by_rows(training: Training) -> None:
    pairs = training.round.training
    loaded = Pairs(pairs.images, Loaded(pairs.classes), Loaded(pairs.target), pairs.indices)
    training.round = dataclasses.replace(training.round, training=loaded)
    training._inputs["training"] = Loaded(training._inputs["training"])


def use_plain_adam(training: Training) -> None:
    training.optimiser = torch.optim.Adam(training.network.parameters(), lr=training.settings.learning_rate)


def use_plain_layers(training: Training) -> None:
    training.network = build_network(training.settings)
    training.optimiser = torch.optim.Adam(training.network.parameters(), training.settings.learning_rate, fused=True)


def use_plain_branches(training: Training) -> None:
    if isinstance(training.network, Branches):
        first, second = training.network.branches
        training.network.embed = lambda pairs: torch.stack([first(pairs[:, :1]), second(pairs[:, 1:])], dim=1)


def use_all_threads(training: Training) -> None:
    torch.set_num_threads(CORES)


SWITCHES: dict[str, Callable[[Training], None]] = {
    "": lambda training: None,
    "the extractor as compiled loops": use_plain_layers,
    "both digits of a shared branch in one batch": use_plain_branches,
    "Adam as one fused call": use_plain_adam,
    "resident tensors instead of a DataLoader": load_by_rows,
    "one process a core, each with one thread": use_all_threads,
}
KEPT_MEMORY = "memory kept between steps"


def train_ours(settings: RunSettings, without: str) -> tuple[int, float]:
    """The epochs of one run without one measure; no test, so that what is timed is the training alone."""
    torch.set_num_threads(1)
    training = Training(settings)
    SWITCHES[without](training)
    return len(list(training.epochs())), float("nan")


# --- processes that train when told to --------------------------------------------------------------------------------
def serve() -> None:
    """Train what each line of standard input says, and answer in a line: [seconds, epochs, test accuracy]."""
    os.nice(NICENESS)  # as the engine's workers do, so that other work on the machine slows both alike
    for line in sys.stdin:
        order = json.loads(line)
        settings, without = RunSettings.parse(order["settings"]), order["without"]
        started = time.perf_counter()
        epochs, accuracy = train_plainly(settings) if without is None else train_ours(settings, without)
        print(json.dumps([time.perf_counter() - started, epochs, accuracy]), flush=True)


class Trainers:
    """Fresh processes that train the same settings at the same time, in the usual environment and what is added."""

    def __init__(self, count: int, environment: dict[str, str]) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "MKL_", "MALLOC_"))}
        command = [sys.executable, "-m", "benchmarks.training", "--serve"]
        self.processes = [
            subprocess.Popen(
                command, cwd=ROOT, env={**kept, **environment}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            for _ in range(count)
        ]
        self.train(RunSettings(training_pairs=100, max_epochs=1))

    def train(self, settings: RunSettings, without: str | None = None, count: int | None = None) -> list[list[float]]:
        """What each of the first `count` (all) answers; `without` None is the plain loop."""
        order = json.dumps({"settings": settings.model_dump(), "without": without}) + "\n"
        chosen = self.processes[:count]
        for process in chosen:
            process.stdin.write(order)
            process.stdin.flush()
        return [json.loads(process.stdout.readline()) for process in chosen]

    def close(self) -> None:
        for process in self.processes:
            process.__exit__(None, None, None)


@contextmanager
def start_engine(live: int = UNWATCHED) -> Iterator[Engine]:
    """The engine, warm, on a store that is thrown away, with so many runs for each worker that take turns."""
    with tempfile.TemporaryDirectory() as folder, closing(Engine(RunStore(Path(folder) / "runs"), live=live)) as engine:
        engine.start(warm=True)
        yield engine


def time_engine(engine: Engine, runs: list[RunSettings]) -> float:
    """Seconds from the first run's submission until the last one is in the store."""
    run_ids = [settings.run_id for settings in runs]
    started = time.perf_counter()
    for settings in runs:
        engine.submit(settings)
    engine.wait(run_ids)
    seconds = time.perf_counter() - started
    assert all(engine.store.read(run_id).state == "finished" for run_id in run_ids)
    return seconds


def same_work(model: str, epochs: int, **values: Any) -> RunSettings:
    """Settings under which every loop trains exactly `epochs` epochs."""
    return RunSettings.parse({"model": model, "max_epochs": epochs, "patience": 500, **values})


# --- the four questions -----------------------------------------------------------------------------------------------
def compare_speed(epochs: int, repeats: int) -> bool:
    """Print runs a second of both loops; whether the engine reaches the required ratio overall."""
    plain, ours = [], []  # seconds a run, an architecture
    print(f"\nRuns of {epochs} epochs, {repeats} plain and {repeats * CORES} of the engine's an architecture, in turns")
    print(f"{'':34}{'plain':>10}{'engine':>10}   seconds a run")
    with closing(Trainers(1, {})) as trainers, start_engine() as engine:
        for model in REPORT_MODELS:
            slow, fast = [], []
            for repeat in range(repeats):
                settings = same_work(model, epochs, seed=CORES * repeat)
                slow.append(trainers.train(settings)[0][0])
                fast.append(time_engine(engine, settings.rounds(CORES)) / CORES)
            plain.append(min(slow))  # the fastest of each is the one that other work disturbed least
            ours.append(min(fast))
            print_ratio(model, plain[-1], ours[-1])
    return print_ratio("one run of each", sum(plain), sum(ours)) >= REQUIRED


def print_ratio(name: str, plain: float, ours: float) -> float:
    print(f"{name:34}{plain:10.3f}{ours:10.3f}   throughput × {plain / ours:.2f}", flush=True)
    return plain / ours


def measure_ablation(epochs: int, repeats: int) -> None:
    """Print what each measure brings, all others on: seconds a run without it over seconds a run with it."""
    taken: dict[tuple[str, str], list[float]] = defaultdict(list)  # measure, architecture -> seconds a run
    print(f"\n{repeats} × {CORES} runs of {epochs} epochs of each architecture, in turns")
    with ExitStack() as stack:
        ours = stack.enter_context(closing(Trainers(CORES, KEEP_MEMORY)))
        forgetful = stack.enter_context(closing(Trainers(CORES, dask_environment())))
        for model in [*REPORT_MODELS] * repeats:
            settings = same_work(model, epochs)
            for without in SWITCHES:
                alone = SWITCHES[without] is use_all_threads
                answers = ours.train(settings, without, 1 if alone else CORES)
                taken[without, model].append(max(answer[0] for answer in answers) / len(answers))
            taken[KEPT_MEMORY, model].append(max(answer[0] for answer in forgetful.train(settings, "")) / CORES)
    seconds = {name: sum(min(taken[name, model]) for model in REPORT_MODELS) for name in [*SWITCHES, KEPT_MEMORY]}
    base = seconds.pop("")
    for measure, value in sorted(seconds.items(), key=lambda item: -item[1]):
        print(f"{measure:48}throughput × {value / base:.2f}")


def dask_environment() -> dict[str, str]:
    """The environment that Dask gives its workers unless told otherwise: memory goes back to the system at once."""
    values = dask.config.get("distributed.nanny.pre-spawn-environ")
    return {name: str(value) for name, value in values.items()}


def compare_accuracy(rounds: int) -> bool:
    """Print both loops' mean test accuracies; whether they agree within two standard errors of the difference."""
    agree = True
    with closing(Trainers(1, {})) as trainers, start_engine() as engine:
        for model in COMPARED:
            plan = RunSettings(model=model).rounds(rounds)
            time_engine(engine, plan)
            ours = [engine.store.read(settings.run_id).summary["test_accuracy"] for settings in plan]
            plain = [trainers.train(settings)[0][2] for settings in plan]
            difference = statistics.fmean(ours) - statistics.fmean(plain)
            error = ((statistics.variance(ours) + statistics.variance(plain)) / rounds) ** 0.5
            agree &= abs(difference) < 2 * error
            print(f"\n{model}, n = {rounds}")
            for name, values in (("plain", plain), ("engine", ours)):
                print(f"  {name:8}{statistics.fmean(values):.4f} ± {statistics.stdev(values):.4f}")
            print(f"  difference {difference:+.4f}, {abs(difference) / error:.2f} standard errors", flush=True)
    return agree


def compare_table() -> None:
    """Print how long the 140 runs of Table 1 take: the engine's measured whole, as `python -m core reproduce` trains
    them; the plain loop's from one whole run of every cell, half of them before the engine's and half after."""
    plan = [settings for settings in plan_reproduction() if is_shipped_with_weights(settings)]
    cells = plan[: len(SHIPPED_DROPOUTS) * len(REPORT_MODELS)]  # their first rounds
    half = len(cells) // 2
    with closing(Trainers(1, {})) as trainers, start_engine() as engine:
        pace = [trainers.train(settings)[0] for settings in cells[:half]]
        ours = time_engine(engine, plan)
        pace += [trainers.train(settings)[0] for settings in cells[half:]]
        epochs: dict[tuple[str, float], int] = defaultdict(int)
        for settings in plan:
            epochs[settings.model, settings.dropout] += engine.store.read(settings.run_id).summary["epochs"]
    plain = sum(
        seconds / own * epochs[settings.model, settings.dropout]
        for settings, (seconds, own, _) in zip(cells, pace, strict=True)
    )
    print(f"\nTable 1: 7 architectures × 2 columns × 10 rounds, {sum(epochs.values()):,} epochs")
    print(f"engine {ours / 60:6.2f} minutes, measured whole on warm workers")
    print(f"plain  {plain / 60:6.2f} minutes, extrapolated: seconds per epoch of one run per cell, × the same epochs")
    print(f"throughput × {plain / ours:.2f}")


def check_networks() -> None:
    """Both loops train the same networks: equal numbers of parameters, tensor by tensor."""
    for model in REPORT_MODELS:
        settings = RunSettings(model=model)
        plain, ours = PlainNetwork(settings), build_network(settings)
        assert count_parameters(plain) == count_parameters(ours), model
        assert sorted(p.shape for p in plain.parameters()) == sorted(p.shape for p in ours.parameters()), model


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    question = parser.add_mutually_exclusive_group()
    for name in ("ablation", "accuracy", "table"):
        question.add_argument(f"--{name}", action="store_true")
    question.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--epochs", type=int, help=f"of each timed run; {TYPICAL_EPOCHS}, of a part of one 20")
    parser.add_argument("--repeats", type=int, default=3, help="how often each timing is taken; the fastest counts")
    chosen = parser.parse_args()
    if chosen.serve:
        serve()
        return 0
    epochs = chosen.epochs or (20 if chosen.ablation else TYPICAL_EPOCHS)
    check_networks()
    print(", ".join(f"{name} {value}" for name, value in describe_machine().items()))
    print(f"{torch.get_num_threads()} threads by default; load before the start {os.getloadavg()[0]:.1f}")
    if chosen.ablation:
        measure_ablation(epochs, chosen.repeats)
        return 0
    if chosen.table:
        compare_table()
        return 0
    met = compare_accuracy(rounds=10) if chosen.accuracy else compare_speed(epochs, chosen.repeats)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
