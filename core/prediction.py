"""What trained networks say of a pair: all runs of an architecture answer together, in one computation."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state

from core.architectures import Output, build_network
from core.objectives import decide, probability, read_digits
from core.runs import Run
from core.settings import MODEL_NAMES, RunSettings
from core.training import load_weights


@dataclass(frozen=True)
class Verdict:
    """The answer of one cell (an architecture at one dropout), and that of each of its R rounds.

    `probability` that first <= second is the rounds' mean, `first_le_second` their majority (their mean
    probability, where as many say yes as no). `digits` (2, 10) are the mean class probabilities, or None.
    """

    settings: RunSettings  # of the cell's first round
    first_le_second: bool
    probability: float
    decisions: list[bool]
    probabilities: list[float]
    digits: np.ndarray | None

    @property
    def rounds(self) -> int:
        """How many rounds answered."""
        return len(self.decisions)


class Ensemble:
    """The trained networks of one architecture, never changed after it is built, so that threads can share it."""

    def __init__(self, runs: list[Run], networks: list[nn.Module]) -> None:
        """`networks` are those of `runs`, as `load_network` gives them; all agree in architecture and hidden units."""
        self.settings = [_settings_of(run) for run in runs]
        self._network = networks[0]
        self._parameters, self._buffers = stack_module_state(networks)
        sample = self._network(torch.zeros(1, 2, 14, 14))
        self._parts = [name for name, part in sample._asdict().items() if part is not None]
        self._mean = torch.tensor([run.summary["mean"] for run in runs])[:, None, None, None, None]
        self._deviation = torch.tensor([run.summary["deviation"] for run in runs])[:, None, None, None, None]

    def outputs(self, frames: Tensor) -> Output:
        """The output of R runs for B pairs of grey levels (B, 2, 14, 14) in 0 to 255: comparison (R, B), digits
        (R, B, 2, 10)."""
        inputs = (frames[None].float() - self._mean) / self._deviation  # (R, B, 2, 14, 14)
        with torch.inference_mode():
            parts = dict(zip(self._parts, torch.vmap(self._call)(self._parameters, self._buffers, inputs), strict=True))
        return Output(parts.get("comparison"), parts.get("digits"))

    def _call(self, parameters: dict[str, Tensor], buffers: dict[str, Tensor], inputs: Tensor) -> tuple[Tensor, ...]:
        output = functional_call(self._network, (parameters, buffers), (inputs,), tie_weights=True)
        return tuple(part for part in output if part is not None)  # vmap returns tensors alone

    def answer(self, frames: np.ndarray) -> list[Verdict]:
        """A verdict a cell on one pair of grey levels (2, 14, 14) in 0 to 255, in the order of the runs."""
        comparison, digits = self.outputs(torch.from_numpy(frames)[None])
        rounds = Output(  # one pair, so that the runs take the place of the batch
            None if comparison is None else comparison[:, 0], None if digits is None else digits[:, 0]
        )
        read = read_digits(rounds)
        decisions, probabilities = decide(rounds).numpy(), probability(rounds).numpy()
        cells: dict[str, list[int]] = {}
        for index, settings in enumerate(self.settings):
            cells.setdefault(settings.cell(), []).append(index)
        return [
            _give_verdict(
                self.settings[rows[0]],
                decisions[rows],
                probabilities[rows],
                None if read is None else read.numpy()[rows],
            )
            for rows in cells.values()
        ]


def _give_verdict(
    settings: RunSettings, decisions: np.ndarray, probabilities: np.ndarray, digits: np.ndarray | None
) -> Verdict:
    share, mean = decisions.mean(), float(probabilities.mean())
    return Verdict(
        settings=settings,
        first_le_second=bool(mean >= 0.5 if share == 0.5 else share > 0.5),
        probability=mean,
        decisions=decisions.tolist(),
        probabilities=probabilities.tolist(),
        digits=None if digits is None else digits.mean(axis=0),
    )


def _settings_of(run: Run) -> RunSettings:
    assert run.settings is not None
    return run.settings


def load_network(run: Run) -> nn.Module:
    """A run's trained network in evaluation mode; raises StoreError or ValueError naming the run."""
    network, arrays = build_network(_settings_of(run)), run.weights()
    try:
        if not {"mean", "deviation"} <= run.summary.keys():
            raise ValueError("Its result lacks the mean or the deviation that standardise images.")
        if not all(np.isfinite(values).all() for values in arrays.values()):
            raise ValueError("Its weights are not all finite numbers.")
        load_weights(network, arrays)
    except ValueError as error:
        raise ValueError(f"The run {run.run_id} cannot answer: {error}") from None
    return network.eval()


def load_ensembles(runs: Iterable[Run]) -> tuple[list[Ensemble], list[str]]:
    """The finished runs that can answer, an ensemble an architecture in Table 1's order, and a sentence for each
    run whose weights cannot be used.

    Within an ensemble the runs stand by cell, those without dropout first, then by seed. Runs with dropout left on
    at evaluation are left out: here dropout is always off.
    """
    groups: dict[tuple[int, int], list[tuple[Run, nn.Module]]] = {}
    problems = []
    able = [run for run in runs if run.state == "finished" and run.has_weights]
    for run in sorted(
        able, key=lambda run: (_settings_of(run).dropout, _settings_of(run).cell(), _settings_of(run).seed)
    ):
        settings = _settings_of(run)
        if settings.dropout_at_evaluation:
            continue
        try:
            loaded = (run, load_network(run))
        except ValueError as error:
            problems.append(str(error))
        else:
            groups.setdefault((MODEL_NAMES.index(settings.model), settings.hidden_units), []).append(loaded)
    ensembles = [Ensemble(*map(list, zip(*groups[key], strict=True))) for key in sorted(groups)]
    return ensembles, problems
