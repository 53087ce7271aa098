"""Structures read from live modules, against forward passes, counted flops and the report's figures."""

import copy
from collections import Counter

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from core.mnist.pairs import draw_round, standardise
from core.networks import architectures
from core.networks.architectures import Output, build_network, count_parameters
from core.networks.ensemble import load_network
from core.networks.objectives import decide, probability
from core.networks.structure import STRUCTURES, dump_architectures, list_layers, load_architectures
from core.networks.trace import describe_architectures, describe_network, walk_through
from core.runs.settings import MODEL_NAMES, REPORT_MODELS, RunSettings
from core.runs.store import RunStore
from core.training.procedure import evaluate

ARCHITECTURES = load_architectures()
EXTRACTOR = ["Conv 3 × 3, 1 → 32", "Max pool 2 × 2, ReLU", "Conv 3 × 3, 32 → 64", "Max pool 2 × 2, ReLU"]
HEAD = [*EXTRACTOR, "Flatten, dropout", "Linear 256 → 128, ReLU, dropout"]
REPORT = {  # Figures 1 and 3 to 9: layers from the input on; how often and with whose weights; how it decides
    "TwoChannelsModel": (
        ["Conv 3 × 3, 2 → 32", *HEAD[1:], "Linear 128 → 10, ReLU", "Linear 10 → 1"], [1] * 8, "once", "logit",
    ),
    "TwoBranchesModel": ([*HEAD, "Linear 128 → 10, ReLU", "Linear 10 → 1"], [2] * 8, "own", "difference"),
    "WeightSharingBranchesModel": ([*HEAD, "Linear 128 → 10, ReLU", "Linear 10 → 1"], [2] * 8, "shared", "difference"),
    "BranchesToVecModel": (
        [*HEAD, "Linear 128 → 10", "ReLU", "Linear 20 → 10, ReLU", "Linear 10 → 1"], [2] * 7 + [1] * 3, "own", "logit",
    ),
    "WeightSharingBranchesToVecModel": (
        [*HEAD, "Linear 128 → 10", "ReLU", "Linear 20 → 10, ReLU", "Linear 10 → 1"], [2] * 7 + [1] * 3, "shared",
        "logit",
    ),
    "WeightSharingAuxiliaryModel": (
        [*HEAD, "Linear 256 → 100, ReLU", "Linear 100 → 10", "Linear 100 → 1"], [2] * 6 + [1, 2, 1], "shared", "logit",
    ),
    "DirectClassificationModel": ([*HEAD, "Linear 128 → 10"], [2] * 7, "shared", "classes"),
}  # fmt: skip


def make(model: str, **values) -> nn.Module:
    return build_network(RunSettings(model=model, **values)).eval()


def test_the_stored_structures_are_those_of_the_live_modules():
    live = dump_architectures(describe_architectures())
    assert live == STRUCTURES.read_bytes(), "write them anew: python -m core architectures"


@pytest.mark.parametrize("model", REPORT_MODELS)
def test_structure_is_that_of_the_reports_figures(model):
    layers = list_layers(ARCHITECTURES[model])
    names, uses, sharing, decision = REPORT[model]
    assert [layer.name for layer in layers] == names
    assert [len(layer.blocks) for layer in layers] == uses
    assert {layer.sharing for layer in layers if layer.sharing and "→ 64" in layer.name} == {sharing}
    assert ARCHITECTURES[model].decision == decision


@pytest.mark.parametrize("model", REPORT_MODELS)
def test_every_shape_and_count_is_that_of_a_forward_pass(model):
    """Five pairs: a layer that both digits pass in one batch is met by ten samples, as two blocks."""
    network, met = make(model), Counter()

    def meet(layer, inputs, output):
        assert inputs[0].shape[0] == output.shape[0]
        key = (tuple(inputs[0].shape[1:]), tuple(output.shape[1:]), sum(p.numel() for p in layer.parameters()))
        met[key] += output.shape[0] // 5

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.Flatten | nn.Linear):
            layer.register_forward_hook(meet)
    network(torch.zeros(5, 2, 14, 14))
    blocks = [block for block in ARCHITECTURES[model].blocks if block.layers != ("ReLU",)]
    assert Counter((block.input, block.output, block.parameters) for block in blocks) == met


@pytest.mark.parametrize("model", REPORT_MODELS)
def test_totals(model):
    network, architecture = make(model), ARCHITECTURES[model]
    assert architecture.distinct_parameters == count_parameters(network)
    shared = REPORT[model][2] == "shared"
    assert (architecture.parameters > architecture.distinct_parameters) == shared
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 2, 14, 14))
    assert 2 * architecture.multiply_adds == counter.get_total_flops()


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_arrows_carry_what_enters(model):
    blocks = ARCHITECTURES[model].blocks
    for index, block in enumerate(blocks):
        assert all(source < index for source in block.source)
        sizes = [blocks[source].output for source in block.source]
        assert block.input == (
            sizes[0] if len(sizes) == 1 else (sum(size[0] for size in sizes),) if sizes else block.input
        )
        assert block.source or block.input == ((2, 14, 14) if block.lane == "both" else (1, 14, 14))


def test_ties_are_found_by_identity_not_by_name():
    network = make("TwoBranchesModel")
    second_conv = [[m for m in branch.modules() if isinstance(m, nn.Conv2d)][1] for branch in network.branches]
    second_conv[1].weight = second_conv[0].weight
    second_conv[1].bias = second_conv[0].bias
    layers = list_layers(describe_network(network, "TwoBranchesModel"))
    assert [layer.sharing for layer in layers if layer.sharing] == ["own", "shared", "own", "own", "own"]

    network = make("WeightSharingBranchesModel")
    network.branches[1] = copy.deepcopy(network.branches[0])  # equal, but not the same
    assert {layer.sharing for layer in list_layers(describe_network(network, "WeightSharingBranchesModel"))} == {
        "own",
        "",
    }


class Odd(nn.Module):
    """Two scores, put together as the constructor says."""

    def __init__(self, decide, between=None):
        super().__init__()
        self.score = nn.Sequential(nn.Flatten(), nn.Linear(196, 4))
        self.decide, self.between = decide, between
        self.end = nn.Linear(8, 1) if between else None

    def forward(self, pairs):
        first, second = self.score(pairs[:, :1]), self.score(pairs[:, 1:])
        if self.end is not None:
            return Output(self.end(self.between(first, second))[:, 0], None)
        return Output(self.decide(first[:, 0], second[:, 0]), None)


def test_a_network_put_together_otherwise_is_refused_not_misdrawn():
    with pytest.raises(ValueError, match="neither a layer's output nor the second branch's less the first's"):
        describe_network(Odd(lambda first, second: first * second), "TwoBranchesModel")
    with pytest.raises(ValueError, match="What enters Linear 8 → 1 is no concatenation"):
        describe_network(Odd(None, lambda first, second: torch.cat([second, first], 1)), "TwoBranchesModel")


def test_a_network_that_no_stored_run_can_hold_is_refused(monkeypatch):
    monkeypatch.setitem(architectures.ARCHITECTURES, "TwoChannelsModel", lambda blocks: nn.BatchNorm1d(3))
    with pytest.raises(ValueError, match="TwoChannelsModel keeps running_mean beside its parameters"):
        describe_architectures()


# --- a walk -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """A short run of each architecture, and a test pair's frames."""
    from core.training.procedure import Training

    store = RunStore(tmp_path_factory.mktemp("walk"))
    runs = {}
    for model in MODEL_NAMES:
        training = Training(RunSettings(model=model, max_epochs=1, training_pairs=100, hidden_units=16))
        list(training.epochs())
        writer = store.claim(training.settings)
        writer.finish(training.finish())
        writer.close()
        runs[model] = store.read(training.settings.run_id)
    return runs, draw_round(0, 100).test.images[7]


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_a_walk_ends_at_the_networks_answer(walked, model):
    runs, frames = walked
    run = runs[model]
    walk = walk_through(run, frames.numpy())
    pair = standardise(frames[None], run.summary["mean"], run.summary["deviation"])
    output = evaluate(load_network(run), pair)
    assert walk.probability == pytest.approx(probability(output).item(), abs=1e-6)
    assert walk.first_le_second == bool(decide(output))
    assert (walk.logit is None) == (output.comparison is None)
    assert walk.digits == (None if output.digits is None else tuple(output.digits[0].argmax(1).tolist()))
    assert [len(stage) for stage in walk.stages] == [len(rank) for rank in ARCHITECTURES[model].ranks()]
    for stage in walk.stages:
        assert all(step.output.shape == step.block.output for step in stage)


def test_what_comes_out_of_each_stage_is_what_the_layers_give(walked):
    runs, frames = walked
    run = runs["WeightSharingBranchesModel"]
    branch = load_network(run).branches[0]
    pair = standardise(frames[None], run.summary["mean"], run.summary["deviation"])
    walk = walk_through(run, frames.numpy())
    extractor = branch[0][0][0]  # of the vector's embedder
    with torch.no_grad():
        for digit in range(2):
            maps = extractor[0](pair[:, digit : digit + 1])
            np.testing.assert_allclose(walk.stages[0][digit].output, maps[0], atol=1e-5)
            np.testing.assert_allclose(walk.stages[1][digit].output, extractor[1:3](maps)[0], atol=1e-5)
            np.testing.assert_allclose(walk.stages[-1][digit].output, branch(pair[:, digit : digit + 1])[0], atol=1e-5)
    first, second = walk.stages[0]
    np.testing.assert_array_equal(first.kernels, extractor[0].weight.detach())
    np.testing.assert_array_equal(first.kernels, second.kernels)
    assert walk.logit == pytest.approx(walk.stages[-1][1].output[0] - walk.stages[-1][0].output[0], abs=1e-5)


def test_own_weights_are_those_of_their_branch(walked):
    runs, frames = walked
    first, second = walk_through(runs["TwoBranchesModel"], frames.numpy()).stages[0]
    branches = load_network(runs["TwoBranchesModel"]).branches
    for step, branch in ((first, branches[0]), (second, branches[1])):
        conv = next(module for module in branch.modules() if isinstance(module, nn.Conv2d))
        np.testing.assert_array_equal(step.kernels, conv.weight.detach())
    assert not np.array_equal(first.kernels, second.kernels)
