"""Which training digits are most like a digit: exact on small data, and for trained networks on their own rounds."""

import numpy as np
import pytest
import torch
from cachetools import LRUCache

from core.mnist.pairs import draw_round, standardise
from core.networks import neighbours
from core.networks.architectures import build_network
from core.networks.neighbours import embed, find_embedders, find_nearest, find_neighbours, see_round
from core.networks.verdicts import describe_classes
from core.runs.settings import MODEL_NAMES, RunSettings
from core.runs.store import RunStore

OWN_WEIGHTS = {"TwoBranchesModel", "BranchesToVecModel"}
DIRECT = RunSettings(model="DirectClassificationModel", max_epochs=6, seed=1)
CHANNELS = RunSettings(model="TwoChannelsModel", max_epochs=6, seed=1)


def test_the_nearest_come_first_and_ties_keep_their_order():
    points = np.array([[3, 4], [0, 0], [4, 3], [0, 1], [-5, 0]], np.float32)
    rows, distances = find_nearest(points, np.zeros(2, np.float32), 4)
    assert rows.tolist() == [1, 3, 0, 2]
    assert distances.tolist() == [0, 1, 5, 5]
    assert find_nearest(points, points[2], 1)[0].tolist() == [2]
    assert len(find_nearest(points, points[0])[0]) == 5  # there are no eight


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ([9] * 8, "all 8 are 9"),
        ([9, 4, 9, 9, 7, 9, 9, 4], "mostly 9 (5 of 8), then 4 (2), 7 (1)"),
        ([9, 4, 9, 4, 9, 4, 9, 4], "a mix of 4 (4 of 8), 9 (4)"),
    ],
)
def test_classes_in_words(classes, words):
    assert describe_classes(classes) == words


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_the_embedding_is_what_the_branch_hands_over(model):
    network = build_network(RunSettings(model=model)).eval()
    embedders = find_embedders(network)
    if model == "TwoChannelsModel":
        assert embedders == [None, None]
        return
    assert len(embedders) == (2 if model in OWN_WEIGHTS else 1)
    images = torch.rand(3, 14, 14, generator=torch.Generator().manual_seed(0))
    for side, embedder in enumerate(embedders):
        found = embed(embedder, images)
        assert found.shape == (3, 128 if model == "WeightSharingAuxiliaryModel" else 10)
        with torch.no_grad():
            handed = network.embed(images[:, None].expand(-1, 2, -1, -1))[:, side]
            if handed.shape[1] == 1:  # a score: one layer more
                found = network.branches[side][-1](torch.from_numpy(found)).numpy()
        assert found == pytest.approx(handed.numpy(), abs=1e-6)


@pytest.mark.parametrize("settings", [DIRECT, CHANNELS])
def test_a_training_digit_is_its_own_nearest(trained_store, settings):
    drawn = draw_round(settings.seed)
    frames = drawn.training.images[3].numpy()
    found = find_neighbours(RunStore(trained_store).open(settings.run_id), frames)
    for side, resemblance in enumerate(found):
        assert resemblance.among == (1_600 if settings is DIRECT else 800)
        assert resemblance.by_pixels.distances[0] == 0
        assert np.array_equal(resemblance.by_pixels.frames[0], frames[side])
        assert resemblance.by_pixels.classes[0] == drawn.training.classes[3, side]
        assert (np.diff(resemblance.by_pixels.distances) >= 0).all()
        if settings is CHANNELS:
            assert (resemblance.by_embedding, resemblance.numbers) == (None, 0)
        else:
            assert np.array_equal(resemblance.by_embedding.frames[0], frames[side])
            assert resemblance.by_embedding.distances[0] == pytest.approx(0, abs=1e-4)  # embedded in another batch
            assert resemblance.numbers == 10


def test_embeddings_are_those_of_the_networks_own_round_and_leave_out_validation(trained_store):
    seen = see_round(RunStore(trained_store).open(DIRECT.run_id))
    drawn = draw_round(DIRECT.seed)
    [side] = seen.sides
    assert np.array_equal(side.frames.reshape(800, 2, 14, 14), drawn.training.images.numpy())
    image = standardise(drawn.training.images[799, 1], drawn.mean, drawn.deviation)[None]
    assert embed(side.embedder, image)[0] == pytest.approx(side.embeddings[-1], abs=1e-4)


def test_rounds_are_kept_up_to_a_bound_in_bytes(trained_store):
    run = RunStore(trained_store).open(DIRECT.run_id)
    assert see_round(run) is see_round(run)
    cache = see_round.cache
    assert isinstance(cache, LRUCache)
    assert cache.maxsize == neighbours.MEMORY
    assert cache.getsizeof(see_round(run)) == 1_600 * (196 * 4 + 8 + 10 * 4)
