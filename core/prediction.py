"""What trained networks say of a pair: the rounds of a cell answer together, stacked into one computation."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call, stack_module_state

from core.architectures import Output, build_network
from core.objectives import decide, probability, read_digits
from core.runs import Run
from core.settings import RunSettings
from core.training import load_weights


@dataclass(frozen=True)
class Verdict:
    """The answer of one cell (an architecture at one dropout), and that of each of its R rounds.

    `probability` that first <= second is the rounds' mean, `first_le_second` their majority (their mean
    probability, where as many say yes as no). `digits` (2, 10) are the mean class probabilities, or None.
    """

    model: str
    dropout: float
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
    """The networks of one cell's rounds, never changed after it is built, so that threads can share it."""

    def __init__(self, runs: list[Run]) -> None:
        """Raises StoreError or ValueError where a run's weights are missing, damaged or another network's."""
        assert runs[0].settings is not None
        self.settings: RunSettings = runs[0].settings
        networks = []
        for run in runs:
            network = build_network(self.settings)
            try:
                load_weights(network, run.weights())
            except ValueError as error:
                raise ValueError(f"The run {run.run_id} cannot answer: {error}") from None
            networks.append(network.eval())
        self._network = networks[0]
        self._parameters, self._buffers = stack_module_state(networks)
        sample = self._network(torch.zeros(1, 2, 14, 14))
        self._parts = [name for name, part in sample._asdict().items() if part is not None]
        self._mean = torch.tensor([run.summary["mean"] for run in runs])[:, None, None, None, None]
        self._deviation = torch.tensor([run.summary["deviation"] for run in runs])[:, None, None, None, None]

    def outputs(self, frames: Tensor) -> Output:
        """The output of R rounds for B pairs of grey levels (B, 2, 14, 14) in 0 to 255: comparison (R, B), digits
        (R, B, 2, 10)."""
        inputs = (frames[None].float() - self._mean) / self._deviation  # (R, B, 2, 14, 14)
        with torch.inference_mode():
            parts = dict(zip(self._parts, torch.vmap(self._call)(self._parameters, self._buffers, inputs), strict=True))
        return Output(parts.get("comparison"), parts.get("digits"))

    def _call(self, parameters: dict[str, Tensor], buffers: dict[str, Tensor], inputs: Tensor) -> tuple[Tensor, ...]:
        output = functional_call(self._network, (parameters, buffers), (inputs,), tie_weights=True)
        return tuple(part for part in output if part is not None)  # vmap returns tensors alone

    def answer(self, frames: np.ndarray) -> Verdict:
        """The verdict on one pair of grey levels (2, 14, 14) in 0 to 255."""
        comparison, digits = self.outputs(torch.from_numpy(frames)[None])
        rounds = Output(  # one pair, so that the rounds take the place of the batch
            None if comparison is None else comparison[:, 0], None if digits is None else digits[:, 0]
        )
        decisions, probabilities = decide(rounds), probability(rounds)
        read = read_digits(rounds)
        share = decisions.float().mean().item()
        mean = probabilities.mean().item()
        return Verdict(
            model=self.settings.model,
            dropout=self.settings.dropout,
            first_le_second=mean >= 0.5 if share == 0.5 else share > 0.5,
            probability=mean,
            decisions=decisions.tolist(),
            probabilities=probabilities.tolist(),
            digits=None if read is None else read.mean(dim=0).numpy(),
        )


def group_cells(runs: Iterable[Run]) -> list[list[Run]]:
    """Finished runs that can answer, a list of rounds a cell, in the store's order of cells and by seed."""
    cells: dict[str, list[Run]] = {}
    for run in runs:
        if run.state == "finished" and run.settings is not None and run.has_weights:
            cells.setdefault(run.settings.cell(), []).append(run)
    return [sorted(cell, key=lambda run: run.settings.seed if run.settings else 0) for cell in cells.values()]
