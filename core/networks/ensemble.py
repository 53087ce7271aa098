"""What trained networks say of a pair: all runs of an architecture answer together, in one computation."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.networks.architectures import Output, build_network
from core.networks.objectives import decide, probability, read_digits
from core.networks.verdicts import Verdict
from core.networks.weights import load_weights
from core.runs.settings import MODEL_NAMES, RunSettings
from core.runs.store import Run, UnreadableRun


class StackedLinear(nn.Module):
    """The same linear layer of R networks, each on its own part of the batch."""

    def __init__(self, layers: list[nn.Linear]) -> None:
        super().__init__()
        self.weight = torch.stack([layer.weight.detach().T for layer in layers])  # (R, in, out)
        self.bias = torch.stack([layer.bias.detach() for layer in layers])[:, None]  # (R, 1, out)

    def forward(self, x: Tensor) -> Tensor:  # (R·N, in) -> (R·N, out)
        return torch.baddbmm(self.bias, x.reshape(len(self.weight), -1, x.shape[1]), self.weight).flatten(0, 1)


class StackedConvolution(nn.Module):
    """The same 3 × 3 convolution of R networks, each on its own part of the batch, as one product of matrices.

    A grouped convolution, which PyTorch makes of such a stack, takes four times as long for a single pair.
    """

    def __init__(self, layers: list[nn.Conv2d]) -> None:
        super().__init__()
        weights = [layer.weight.detach().permute(2, 3, 1, 0).flatten(0, 2) for layer in layers]  # (9·C, K)
        self.weight = torch.stack([weight.contiguous() for weight in weights])
        self.bias = torch.stack([layer.bias.detach() for layer in layers if layer.bias is not None])[:, None]

    def forward(self, x: Tensor) -> Tensor:  # (R·N, C, H, W) -> (R·N, K, H - 2, W - 2)
        height, width = x.shape[2] - 2, x.shape[3] - 2
        patches = x.permute(0, 2, 3, 1).unfold(1, 3, 1).unfold(2, 3, 1)  # (R·N, H - 2, W - 2, C, 3, 3)
        rows = patches.permute(0, 1, 2, 4, 5, 3).reshape(len(self.weight), -1, self.weight.shape[1])
        y = torch.baddbmm(self.bias, rows, self.weight).view(-1, height, width, self.weight.shape[2])
        return y.permute(0, 3, 1, 2)  # channels last in memory, as the pooling likes it


class OneByOne(nn.Module):
    """Any other layer, or a whole network, of R networks: each is asked about its own part of the batch in its turn."""

    def __init__(self, modules: list[nn.Module]) -> None:
        super().__init__()
        self.each = nn.ModuleList(modules)

    def forward(self, *inputs: Tensor) -> Any:  # each (R·N, …); gives what one module gives, for R·N samples
        batches = zip(*(x.chunk(len(self.each)) for x in inputs), strict=True)
        results = [module(*batch) for module, batch in zip(self.each, batches, strict=True)]
        if isinstance(results[0], Output):
            return Output(*(None if parts[0] is None else torch.cat(parts) for parts in zip(*results, strict=True)))
        return torch.cat(results)


def _has_parameters(module: nn.Module) -> bool:
    """Whether a module has parameters of its own, beside those of the modules in it."""
    return next(module.parameters(recurse=False), None) is not None


def _choose_stack(layer: nn.Module) -> Any:
    """The class that computes such a layer for R networks."""
    match layer:
        case nn.Linear(bias=Tensor()):
            return StackedLinear
        case nn.Conv2d(kernel_size=(3, 3), stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1, bias=Tensor()):
            return StackedConvolution
    return OneByOne


def stack_networks(networks: list[nn.Module], settings: RunSettings) -> nn.Module:
    """R networks of one architecture as one, in evaluation mode, that takes R equal batches one after the other."""
    if any(_has_parameters(module) and any(module.children()) for module in networks[0].modules()):
        return OneByOne(networks)  # a class that has parameters beside its layers, for example a matrix of its own
    stacked = build_network(settings).eval()
    stacks: dict[nn.Module, nn.Module] = {}  # a layer that stands in several places stays one layer
    for name, layer in list(stacked.named_modules(remove_duplicate=False)):
        if _has_parameters(layer):
            parent, _, own = name.rpartition(".")
            if layer not in stacks:
                stacks[layer] = _choose_stack(layer)([each.get_submodule(name) for each in networks])
            setattr(stacked.get_submodule(parent), own, stacks[layer])
    return stacked


class Ensemble:
    """The trained networks of one architecture, never changed after it is built, so that threads can share it."""

    def __init__(self, runs: list[Run], networks: list[nn.Module]) -> None:
        """`networks` are those of `runs`, as `load_network` gives them; all agree in architecture and hidden units."""
        self.settings = [run.settings for run in runs]
        self._network = stack_networks(networks, self.settings[0])
        self._mean = torch.tensor([run.summary["mean"] for run in runs])[:, None, None, None, None]
        self._deviation = torch.tensor([run.summary["deviation"] for run in runs])[:, None, None, None, None]
        cells: dict[str, list[int]] = {}
        for index, settings in enumerate(self.settings):
            cells.setdefault(settings.cell(), []).append(index)
        self.cells = list(cells.values())  # the positions of each cell's runs (an architecture at one dropout)

    def outputs(self, frames: Tensor) -> Output:
        """The output of R runs for B pairs of grey levels (B, 2, 14, 14) in 0 to 255: comparison (R, B), digits
        (R, B, 2, 10). Differentiable if `frames` asks for it."""
        inputs = (frames[None].float() - self._mean) / self._deviation  # (R, B, 2, 14, 14)
        parts = self._network(inputs.flatten(0, 1))
        return Output(*(None if part is None else part.unflatten(0, inputs.shape[:2]) for part in parts))

    def answer(self, frames: np.ndarray) -> list[Verdict]:
        """One verdict per cell on one pair of grey levels (2, 14, 14) in 0 to 255, in the order of the runs."""
        return [verdict for [verdict] in self.answer_each(frames[None], self.cells)]

    def answer_each(self, pairs: np.ndarray, groups: list[list[int]]) -> list[list[Verdict]]:
        """For each group of runs, taken together, its verdicts on B pairs of grey levels (B, 2, 14, 14)."""
        with torch.inference_mode():
            output = self.outputs(torch.from_numpy(pairs))
            every = Output(*(None if part is None else part.flatten(0, 1) for part in output))  # (R·B, …)
            shape = len(self.settings), len(pairs)
            decisions, probabilities = (given(every).view(shape).numpy() for given in (decide, probability))
            read = read_digits(every)
            digits = None if read is None else read.unflatten(0, shape).numpy()  # (R, B, 2, 10)
        return [
            [
                _give_verdict(
                    self.settings[rows[0]],
                    decisions[rows, pair],
                    probabilities[rows, pair],
                    None if digits is None else digits[rows, pair],
                )
                for pair in range(len(pairs))
            ]
            for rows in groups
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


def load_network(run: Run) -> nn.Module:
    """A run's trained network in evaluation mode; raises StoreError or ValueError naming the run."""
    network, arrays = build_network(run.settings), run.weights()
    try:
        if not all(np.isfinite(values).all() for values in arrays.values()):
            raise ValueError("Its weights are not all finite numbers.")
        load_weights(network, arrays)
    except ValueError as error:
        raise ValueError(f"The run {run.run_id} cannot answer: {error}") from None
    return network.eval()


def load_ensembles(runs: Iterable[Run | UnreadableRun]) -> tuple[list[Ensemble], list[str]]:
    """The finished runs that can answer, one ensemble per architecture in Table 1's order, and a sentence for each
    run whose weights cannot be used.

    Within an ensemble the runs stand by cell, those without dropout first, then by seed. Runs with dropout left on
    at evaluation are left out: here dropout is always off.
    """
    groups: dict[tuple[int, int], list[tuple[Run, nn.Module]]] = {}
    problems = []
    able = [run for run in runs if isinstance(run, Run) and run.state == "finished" and run.has_weights]
    for run in sorted(able, key=lambda run: (run.settings.dropout, run.settings.cell(), run.settings.seed)):
        settings = run.settings
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
