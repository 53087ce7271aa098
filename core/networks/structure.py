"""The structure of the networks as data and as a table; needs no network and no PyTorch.

It lies in `architectures.json`, which `python -m core architectures` writes from the live modules.
"""

import ast
from collections.abc import Collection, Iterable
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pandas as pd
from pydantic import BaseModel, ConfigDict, TypeAdapter

from core.runs.settings import ModelName, RunSettings

STRUCTURES = Path(__file__).with_name("architectures.json")
SOURCE = Path(__file__).with_name("architectures.py")

Lane = Literal["first", "second", "both"]  # the digits that a block sees
Decision = Literal["logit", "difference", "classes"]
Shape = tuple[int, ...]


class Block(BaseModel):
    """A layer with those after it that leave the shape as it is (ReLU, dropout), applied to one tensor.

    `source`: the blocks that it takes its input from, none for the pair itself; several are concatenated. Two blocks
    with the same `weights` share them; "" has none. `parameters` and `multiply_adds` are those of this one use.
    `gives`: what of the network's output leaves here.
    """

    model_config = ConfigDict(frozen=True)

    lane: Lane
    layers: tuple[str, ...]
    source: tuple[int, ...]
    input: Shape
    output: Shape
    parameters: int
    multiply_adds: int
    weights: str
    gives: Literal["", "comparison", "first digit", "second digit"]


class Architecture(BaseModel):
    """A network as blocks, each after its sources; `module` is its class.

    `decision`: a block's own logit, the second branch's score minus the first's, or the two likeliest classes compared.
    `per_hidden_unit`: by how many distinct parameters the network grows with each hidden unit.
    """

    model_config = ConfigDict(frozen=True)

    model: ModelName
    module: str
    blocks: tuple[Block, ...]
    decision: Decision
    per_hidden_unit: int = 0

    @property
    def parameters(self) -> int:
        """The parameters of all uses: shared weights count each time that they are used."""
        return sum(block.parameters for block in self.blocks)

    @property
    def distinct_parameters(self) -> int:
        """The parameters that training can set: shared weights count once."""
        return sum({block.weights: block.parameters for block in self.blocks}.values())

    @property
    def multiply_adds(self) -> int:
        """Multiplications with an addition each, for one pair, by the layers' definitions; biases are not counted."""
        return sum(block.multiply_adds for block in self.blocks)

    def ranks(self) -> list[list[int]]:
        """The blocks by their distance from the input: what stands in one rank works side by side."""
        depths: list[int] = []
        for block in self.blocks:
            depths.append(1 + max((depths[source] for source in block.source), default=-1))
        return [[i for i, depth in enumerate(depths) if depth == rank] for rank in range(max(depths) + 1)]

    def ends(self) -> list[int]:
        """The blocks that no other takes its input from."""
        used = {source for block in self.blocks for source in block.source}
        return [index for index in range(len(self.blocks)) if index not in used]


_FILE = TypeAdapter(tuple[Architecture, ...])


@cache
def load_architectures() -> dict[ModelName, Architecture]:
    """The structures at the report's settings, in the order of Table 1."""
    return {architecture.model: architecture for architecture in _FILE.validate_json(STRUCTURES.read_bytes())}


def count_parameters(settings: RunSettings) -> int:
    """The distinct parameters of the network that a run with these settings trains."""
    architecture = load_architectures()[settings.model]
    more_units = settings.hidden_units - RunSettings().hidden_units
    return architecture.distinct_parameters + more_units * architecture.per_hidden_unit


def dump_architectures(architectures: Iterable[Architecture]) -> bytes:
    """The structures as `load_architectures` reads them, one per line."""
    lines = ",\n".join(architecture.model_dump_json() for architecture in architectures)
    return f"[\n{lines}\n]\n".encode()


def name_shape(shape: Shape) -> str:
    """'32 × 12 × 12'."""
    return " × ".join(map(str, shape))


class Layer(NamedTuple):
    """Equal blocks of one rank; `sharing` says whose their weights are."""

    blocks: tuple[int, ...]
    name: str
    shapes: tuple[Shape, Shape]
    parameters: int  # distinct
    multiply_adds: int
    sharing: Literal["", "once", "own", "shared"]


def list_layers(architecture: Architecture) -> list[Layer]:
    """The network from the input on, equal blocks side by side as one layer."""
    layers = []
    for rank in architecture.ranks():
        alike: dict[Any, list[int]] = {}
        for index in rank:
            block = architecture.blocks[index]
            alike.setdefault((block.lane == "both", block.layers, block.input, block.output), []).append(index)
        layers += [_join_blocks(architecture, tuple(indices)) for indices in alike.values()]
    return layers


def _join_blocks(architecture: Architecture, indices: tuple[int, ...]) -> Layer:
    blocks = [architecture.blocks[index] for index in indices]
    sets = {block.weights: block.parameters for block in blocks}
    sharing: Any = "own" if len(sets) > 1 else "shared" if len(blocks) > 1 else "once"
    return Layer(
        indices,
        ", ".join(blocks[0].layers),
        (blocks[0].input, blocks[0].output),
        sum(sets.values()),
        sum(block.multiply_adds for block in blocks),
        sharing if blocks[0].weights else "",
    )


def find_differences(ours: Architecture, other: Architecture) -> set[int]:
    """The blocks of `ours` that have no counterpart in `other`: the same layer with the same shapes, as often.

    A layer that `other` has with its weights shared, or not shared, is no difference here: the diagram's double line
    says so already, and marking every layer on both sides would mark nothing.
    """
    layers = list_layers(ours)
    kinds, others = (
        [(layer.name, layer.shapes, len(layer.blocks)) for layer in each] for each in (layers, list_layers(other))
    )
    matcher = SequenceMatcher(None, kinds, others, autojunk=False)
    same = {match.a + step for match in matcher.get_matching_blocks() for step in range(match.size)}
    return {block for index, layer in enumerate(layers) if index not in same for block in layer.blocks}


def layer_table(architecture: Architecture, marked: Collection[int] = ()) -> pd.DataFrame:
    """One row per layer: `layer` (with the sign ≠ if it has a `marked` block), the `shape` that leaves it, its distinct
    `parameters`, its `multiply_adds` for one pair, and how often and with whose weights it is `used`."""
    words = {"": "", "once": "", "own": " own", "shared": " shared"}
    rows = [
        (
            layer.name if set(marked).isdisjoint(layer.blocks) else f"≠ {layer.name}",
            name_shape(layer.shapes[1]),
            layer.parameters,
            layer.multiply_adds,
            f"{len(layer.blocks)} ×{words[layer.sharing]}",
        )
        for layer in list_layers(architecture)
    ]
    return pd.DataFrame(rows, columns=["layer", "shape", "parameters", "multiply_adds", "used"])


def read_source(architecture: Architecture) -> str:
    """The text of the network's module as it stands in architectures.py: the shared blocks, its class with those it is
    made from, and its line of the registry."""
    text = SOURCE.read_text()
    tree = ast.parse(text).body
    classes = {node.name: node for node in tree if isinstance(node, ast.ClassDef)}
    wanted = [architecture.module]
    while base := next((b.id for b in classes[wanted[0]].bases if isinstance(b, ast.Name)), None):
        wanted.insert(0, base)
    parts = [ast.get_source_segment(text, classes[name]) for name in ("Blocks", *wanted)]
    [entry] = [line.strip() for line in text.splitlines() if line.strip().startswith(f'"{architecture.model}":')]
    return "\n\n\n".join(part for part in (*parts, f"ARCHITECTURES = {{\n    {entry}\n}}") if part)
