"""Seven networks: shapes, exact parameter counts, what is shared and what is not."""

import pytest
import torch

from core.networks.architectures import CompiledExtractor, build_network, count_parameters
from core.runs.settings import MODEL_NAMES, REPORT_MODELS, RunSettings

PARAMETERS = {
    "TwoChannelsModel": 53_301,
    "TwoBranchesModel": 106_026,
    "WeightSharingBranchesModel": 53_013,
    "BranchesToVecModel": 106_225,
    "WeightSharingBranchesToVecModel": 53_223,
    "WeightSharingAuxiliaryModel": 79_533,
    "DirectClassificationModel": 53_002,
}
SHARED = [name for name in MODEL_NAMES if name.startswith("WeightSharing") or name.startswith("Direct")]


def make(model: str, **values) -> torch.nn.Module:
    return build_network(RunSettings(model=model, **values))


def test_order_is_that_of_table_1():
    assert tuple(PARAMETERS) == REPORT_MODELS


@pytest.mark.parametrize(("model", "expected"), PARAMETERS.items())
def test_parameter_counts(model, expected):
    assert count_parameters(make(model)) == expected


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_output_shapes(model):
    comparison, digits = make(model)(torch.zeros(3, 2, 14, 14))
    assert (comparison is None) == (model == "DirectClassificationModel")
    assert comparison is None or comparison.shape == (3,)
    reads = model in ("WeightSharingAuxiliaryModel", "DirectClassificationModel")
    assert (digits is not None) == reads
    assert digits is None or digits.shape == (3, 2, 10)


@pytest.mark.parametrize("model", REPORT_MODELS[1:])
def test_branches_share_weights_exactly_where_the_name_says(model):
    first, second = make(model).branches
    tied = {id(p) for p in first.parameters()} & {id(p) for p in second.parameters()}
    assert len(tied) == (len(list(first.parameters())) if model in SHARED else 0)


def test_shared_score_difference_changes_sign_when_the_digits_are_swapped():
    pairs = torch.randn(5, 2, 14, 14, generator=torch.Generator().manual_seed(1))
    network = make("WeightSharingBranchesModel")
    torch.testing.assert_close(network(pairs).comparison, -network(pairs.flip(1)).comparison)


def test_seed_alone_decides_first_weights_and_leaves_global_state_untouched():
    before = torch.random.get_rng_state()
    first, again, other = (make("TwoBranchesModel", seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    weights = [torch.cat([p.flatten() for p in network.parameters()]) for network in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_dropout_acts_in_training_alone_and_keeps_the_mean():
    network = make("DirectClassificationModel", dropout=0.5)
    dropout = next(module for module in network.modules() if type(module).__name__ == "SeededDropout")
    ones = torch.ones(200, 256)
    assert torch.equal(dropout.eval()(ones), ones)
    dropped = dropout.train()(ones)
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    assert dropped.mean().item() == pytest.approx(1, abs=0.02)


def make_extractor(model: str) -> CompiledExtractor:
    network = build_network(RunSettings(model=model), compiled=True)
    return next(module for module in network.modules() if isinstance(module, CompiledExtractor))


@pytest.mark.parametrize(("count", "tolerance"), [(1, 1e-5), (7, 1e-5), (200, 5e-3)])  # there, a near tie in a pooling
@pytest.mark.parametrize("model", ["TwoChannelsModel", "DirectClassificationModel"])
def test_compiled_extractor_and_its_gradients_are_those_of_its_layers(model, count, tolerance):
    compiled = make_extractor(model)
    images = torch.randn(count, compiled[0].in_channels, 14, 14, generator=torch.Generator().manual_seed(2))
    above = torch.randn(count, 256, generator=torch.Generator().manual_seed(3))
    results = []
    for extractor in (compiled, torch.nn.Sequential(*compiled)):
        extractor.zero_grad()
        features = extractor(images)
        features.backward(above)
        results.append([features.detach(), *(parameter.grad for parameter in extractor.parameters())])
    for ours, expected in zip(*results, strict=True):
        assert ours.shape == expected.shape
        assert (ours - expected).norm() < tolerance * expected.norm()


def test_compiled_extractor_takes_parts_of_larger_tensors_and_flat_images():
    compiled = make_extractor("DirectClassificationModel")
    plain = torch.nn.Sequential(*compiled)
    pairs = torch.randn(4, 2, 14, 14, generator=torch.Generator().manual_seed(2))
    for images in (pairs[:, 1:], torch.zeros(2, 1, 14, 14)):
        torch.testing.assert_close(compiled(images), plain(images), rtol=1e-4, atol=1e-5)


def test_kernels_compile_where_no_folder_can_keep_them(monkeypatch):
    from core.networks import kernels

    def refuse(**options):
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(kernels, "njit", refuse)
    assert kernels.compiled(len) is len
