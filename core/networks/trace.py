"""Inside a network: its layers, shapes, parameters and ties, and what becomes of a pair on its way through.

All is read from the live module at work. Hooks see each layer's tensors. Two tensors that lie in the same memory are
the same, which tells which tensor goes where. A digit of nothing but NaN makes the output of every layer that sees it
NaN. Parameters are shared if they are one object.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from core.mnist.pairs import standardise
from core.networks.architectures import Output, SeededDropout, build_network, count_parameters
from core.networks.ensemble import load_network
from core.networks.objectives import decide, probability
from core.networks.structure import Architecture, Block, Decision, Lane
from core.networks.verdicts import LayerOutput, Walk
from core.runs.settings import MODEL_NAMES, ModelName, RunSettings
from core.runs.store import Run

_RESHAPING = (nn.Conv2d, nn.MaxPool2d, nn.Flatten, nn.Linear)  # begin a block; other layers belong to the one before


class _Call(NamedTuple):
    """A layer at work for one pair: its tensors hold one sample, or two if it sees both digits in one batch.

    If several tensors enter a layer, as with nn.Bilinear, they stand side by side in `input`.
    """

    layer: nn.Module
    input: Tensor
    output: Tensor


@dataclass
class _Part:
    """A block in the making; `source` are the parts that its input is made of, none for the pair itself."""

    lane: Lane
    layers: list[nn.Module]
    source: tuple[int, ...]
    input: Tensor
    output: Tensor


def describe_architectures() -> list[Architecture]:
    """The structure of all networks as the report's settings build them, in the order of Table 1."""
    return [_describe_architecture(model) for model in MODEL_NAMES]


def _describe_architecture(model: ModelName) -> Architecture:
    settings = RunSettings(model=model)
    network = build_network(settings)
    if buffers := [name for name, _ in network.named_buffers()]:
        raise ValueError(
            f"{model} keeps {buffers[0]} beside its parameters, but a stored run has its parameters alone."
        )
    wider = build_network(settings.model_copy(update={"hidden_units": settings.hidden_units + 1}))
    growth = count_parameters(wider) - count_parameters(network)
    return describe_network(network, model).model_copy(update={"per_hidden_unit": growth})


def describe_network(network: nn.Module, model: ModelName) -> Architecture:
    """The structure of a live network; raises ValueError if it is put together in a way that is not known here."""
    pair = torch.randn(1, 2, 14, 14, generator=torch.Generator().manual_seed(0))
    return _describe(network, model, *_trace(network, pair))


def walk_through(run: Run, frames: NDArray[np.float32]) -> Walk:
    """What a run's network makes of a pair of grey levels (2, 14, 14) in 0 to 255; raises StoreError or ValueError
    if its weights cannot be used."""
    pair = standardise(torch.from_numpy(frames)[None], run.summary["mean"], run.summary["deviation"])
    network = load_network(run)  # anew each time, since a network with hooks cannot serve two visitors at once
    parts, output = _trace(network, pair)
    architecture = _describe(network, run.settings.model, parts, output)
    steps = []
    for block, part in zip(architecture.blocks, parts, strict=True):
        first = part.layers[0]
        kernels = first.weight.detach().numpy() if isinstance(first, nn.Conv2d) else None
        steps.append(LayerOutput(block, part.output.detach().numpy(), kernels))
    return Walk(
        [[steps[index] for index in rank] for rank in architecture.ranks()],
        None if output.comparison is None else output.comparison.item(),
        None if output.digits is None else tuple(output.digits[0].argmax(dim=1).tolist()),
        probability(output).item(),
        bool(decide(output)),
    )


def _describe(network: nn.Module, model: ModelName, parts: list[_Part], output: Output) -> Architecture:
    blocks = _list_blocks(network, parts, output)
    decision = _find_decision(parts, blocks, output)
    return Architecture(model=model, module=type(network).__name__, blocks=tuple(blocks), decision=decision)


def _follow(network: nn.Module, pair: Tensor) -> tuple[list[_Call], Output]:
    """The layers' calls in order, in evaluation mode, and the output."""
    calls: list[_Call] = []

    def keep(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        calls.append(_Call(layer, inputs[0] if len(inputs) == 1 else torch.cat(inputs, dim=1), output))

    layers = [module for module in network.modules() if not any(module.children())]
    hooks = [layer.register_forward_hook(keep) for layer in layers]
    try:
        return calls, network.eval()(pair)
    finally:
        for hook in hooks:
            hook.remove()


def _find_lanes(network: nn.Module) -> list[list[Lane]]:
    """For each call the digits on which each sample of its output depends."""
    names: dict[tuple[bool, bool], Lane] = {(True, False): "first", (False, True): "second", (True, True): "both"}
    spoilt = []
    for digit in range(2):
        pair = torch.zeros(1, 2, 14, 14)
        pair[:, digit] = torch.nan
        with torch.no_grad():
            calls, _ = _follow(network, pair)
        spoilt.append([call.output.isnan().flatten(1).any(dim=1).tolist() for call in calls])
    return [[names[sees] for sees in zip(*samples, strict=True)] for samples in zip(*spoilt, strict=True)]


def _trace(network: nn.Module, pair: Tensor) -> tuple[list[_Part], Output]:
    """The calls for one pair (1, 2, 14, 14) as parts, one for each sample, joined by where their tensors lie."""
    calls, output = _follow(network, pair)
    parts: list[_Part] = []
    owners: dict[int, list[int]] = {_memory(pair): []}  # whose samples a piece of memory holds
    for (layer, taken, given), lanes in zip(calls, _find_lanes(network), strict=True):
        held = owners.get(_memory(taken))
        owners[_memory(given)] = []
        for sample, lane in enumerate(lanes):
            if held is None:  # a tensor that no layer has made, such as a concatenation of what the last layers gave
                source = tuple(_ends(parts))
            else:
                source = tuple(held[sample : sample + 1] if len(held) == len(lanes) else held)
            if len(source) == 1 and not isinstance(layer, _RESHAPING):
                [index] = source
                parts[index].layers.append(layer)
                parts[index].output = given[sample]
            else:
                index = len(parts)
                parts.append(_Part(lane, [layer], source, taken[sample], given[sample]))
                _check_join(parts, index)
            owners[_memory(given)].append(index)
    return parts, output


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _ends(parts: list[_Part]) -> list[int]:
    used = {source for part in parts for source in part.source}
    return [index for index in range(len(parts)) if index not in used]


def _check_join(parts: list[_Part], index: int) -> None:
    """Raise ValueError if what enters a part of several sources is not their concatenation."""
    part = parts[index]
    if len(part.source) > 1:
        joined = torch.cat([parts[source].output for source in part.source])
        if not torch.equal(joined, part.input):
            raise ValueError(f"What enters {_name_layer(part.layers[0])} is no concatenation of what comes before.")


def _list_blocks(network: nn.Module, parts: list[_Part], output: Output) -> list[Block]:
    names: dict[int, str] = {}
    for name, parameter in network.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), name)
    ends = _ends(parts)
    return [
        Block(
            lane=part.lane,
            layers=tuple(map(_name_layer, part.layers)),
            source=part.source,
            input=tuple(part.input.shape),
            output=tuple(part.output.shape),
            parameters=sum(parameter.numel() for layer in part.layers for parameter in layer.parameters()),
            multiply_adds=_count_multiply_adds(part),
            weights=" ".join(names[id(parameter)] for layer in part.layers for parameter in layer.parameters()),
            gives=_find_head(part, output) if index in ends else "",
        )
        for index, part in enumerate(parts)
    ]


def _name_layer(layer: nn.Module) -> str:
    match layer:
        case nn.Conv2d():
            return f"Conv {_square(layer.kernel_size)}, {layer.in_channels} → {layer.out_channels}"
        case nn.MaxPool2d():
            return f"Max pool {_square((layer.kernel_size, layer.kernel_size))}"
        case nn.Linear():
            return f"Linear {layer.in_features} → {layer.out_features}"
        case nn.Bilinear():
            return f"Bilinear {layer.in1_features} × {layer.in2_features} → {layer.out_features}"
        case SeededDropout():
            return "dropout"
    return type(layer).__name__


def _square(size: tuple[object, ...]) -> str:
    return " × ".join(map(str, size))


def _count_multiply_adds(part: _Part) -> int:
    """As the layer is defined, however the machine computes it."""
    match part.layers[0]:
        case nn.Conv2d() as layer:
            return part.output.numel() * layer.weight[0].numel()
        case nn.Linear() as layer:
            return layer.in_features * layer.out_features
        case nn.Bilinear() as layer:  # W · second, then first · that
            return layer.weight.numel() + layer.in1_features * layer.out_features
    return 0


def _find_head(part: _Part, output: Output) -> Literal["", "comparison", "first digit", "second digit"]:
    """Which part of the network's output is this tensor."""
    if output.comparison is not None and torch.equal(part.output, output.comparison):
        return "comparison"
    if output.digits is not None and torch.equal(part.output, output.digits[0, 0]):
        return "first digit"
    if output.digits is not None and torch.equal(part.output, output.digits[0, 1]):
        return "second digit"
    return ""


def _find_decision(parts: list[_Part], blocks: list[Block], output: Output) -> Decision:
    if output.comparison is None:
        return "classes"
    if any(block.gives == "comparison" for block in blocks):
        return "logit"
    scores = [parts[end].output for end in _ends(parts)]
    if len(scores) != 2 or not torch.equal(output.comparison, scores[1] - scores[0]):
        raise ValueError("The network's logit is neither a layer's output nor the second branch's less the first's.")
    return "difference"
