"""What it costs that runs take turns: `python -m benchmarks.slices [--rounds 10]`.

The engine trains the same runs in slices, as it does, and whole, as it would if a slice had no end: in turns, in one
process, each time on a new store. So are timed a single run, thirty visitors with a run each, and the runs of Table 1
of so many rounds. Prints the seconds of each, and by how much slices take longer; exit status 1 above what is allowed.
Last it trains fifteen runs in turns and whole in this process, without the engine: what is left of the difference there
is the memory's, which the processor's cache has to read anew at each turn.
"""

import argparse
import os
import statistics
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from benchmarks.training import same_work, start_engine, time_engine
from core.cluster import queue
from core.cluster.worker import warm_up
from core.follow import UNWATCHED
from core.runs.plan import is_shipped_with_weights, plan_reproduction
from core.runs.settings import RunSettings
from core.training.packing import describe_machine
from core.training.procedure import Training

ENDLESS = 10**6  # seconds and epochs; workers that tell nothing for ten seconds are taken for lost, a run is shorter
ORDER = ("slices", "whole", "whole", "slices")  # so that a machine that drifts slows both alike


@contextmanager
def train_as(kind: str) -> Iterator[None]:
    """Slices as they are, or without an end."""
    names = () if kind == "slices" else ("LONE_SECONDS", "CYCLE_SECONDS", "LEAD")
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(patch.object(queue, name, ENDLESS))
        yield


def compare(name: str, runs: list[RunSettings], allowed: float, live: int = UNWATCHED) -> bool:
    """Print what the runs take in slices, so many in turns, and whole; whether slices take at most so much longer."""
    taken: dict[str, list[float]] = {"slices": [], "whole": []}
    for kind in ORDER:
        with train_as(kind), start_engine(live if kind == "slices" else UNWATCHED) as engine:
            taken[kind].append(time_engine(engine, runs))
    return print_ratio(name, taken, f", at most {allowed:g} allowed") <= allowed


def print_ratio(name: str, taken: dict[str, list[float]], bound: str = "") -> float:
    """Print what each kind took; gives how many times as long slices take."""
    ratio = statistics.fmean(taken["slices"]) / statistics.fmean(taken["whole"])
    each = "; ".join(f"{kind} {', '.join(f'{value:.2f}' for value in values)} s" for kind, values in taken.items())
    print(f"{name}: {each}: × {ratio:.3f}{bound}", flush=True)
    return ratio


def compare_without_engine(epochs: int = 5, count: int = 15) -> None:
    """Print what so many runs take in turns of so many epochs, and whole, in this process."""
    taken: dict[str, list[float]] = {"slices": [], "whole": []}
    for kind in ORDER:
        began = time.perf_counter()
        waiting = deque(same_work("TwoChannelsModel", 60, seed=seed) for seed in range(count))
        live = deque(map(Training, waiting)) if kind == "slices" else deque()
        while live or (kind == "whole" and waiting):
            training = live.popleft() if live else Training(waiting.popleft())
            for _ in range(epochs if kind == "slices" else ENDLESS):
                training.step()
                if training.ended:
                    break
            else:
                live.append(training)
        taken[kind].append(time.perf_counter() - began)
    print_ratio(f"{count} runs of 60 epochs without the engine, in turns of {epochs}", taken)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2, choices=range(1, 11), help="of Table 1; 10 take 14 minutes")
    rounds = range(parser.parse_args().rounds)
    print(", ".join(f"{name} {value}" for name, value in describe_machine().items()))
    print(f"load before the start {os.getloadavg()[0]:.1f}")
    table = [each for each in plan_reproduction() if is_shipped_with_weights(each) and each.seed in rounds]
    thirty = [same_work("TwoChannelsModel", 60, seed=seed) for seed in range(30)]
    met = [
        compare("A single run of 100 epochs", [same_work("TwoBranchesModel", 100)], 1.05),
        compare("Thirty runs of 60 epochs, all in turns", thirty, 1.02, queue.LIVE),
        compare(f"Table 1 with {len(rounds)} rounds, {len(table)} runs", table, 1.02),
    ]
    warm_up()
    compare_without_engine()
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
