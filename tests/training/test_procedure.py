"""The training procedure on small data: records, determinism, stopping, what a run keeps."""

import pickle

import numpy as np
import pytest
import safetensors.numpy
import torch

from core.mnist.pairs import draw_round, standardise
from core.networks.architectures import Output, build_network
from core.networks.ensemble import load_ensembles
from core.networks.objectives import decide
from core.networks.weights import load_weights
from core.runs.records import EPOCH_FIELDS
from core.runs.settings import MODEL_NAMES, RunSettings
from core.runs.store import RunStore
from core.training.packing import quantise
from core.training.procedure import Training, evaluate

SMALL = {"training_pairs": 200, "max_epochs": 6, "batch_size": 50}


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def train(**values):
    training = Training(RunSettings(**{**SMALL, **values}))
    records = list(training.epochs())
    return records, training.finish()


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_a_run_learns_and_keeps_what_it_promises(model):
    records, result = train(model=model, dropout=0.1)
    assert [record.epoch for record in records] == [1, 2, 3, 4, 5, 6]
    assert records[-1].training_loss < records[0].training_loss
    assert all(tuple(record) == EPOCH_FIELDS for record in result.history)
    compares, reads = model != "DirectClassificationModel", model in MODEL_NAMES[-2:]
    assert (records[0].comparison_loss is not None) == compares
    assert (records[0].digits_loss is not None) == (records[0].digit_accuracy is not None) == reads
    arrays = safetensors.numpy.load(result.predictions)
    assert arrays["probability"].shape == (1000,)
    assert arrays["trace"].shape == (1, 1000)
    assert arrays["trace_epochs"].tolist() == [5]
    target = arrays["classes"][:, 0] <= arrays["classes"][:, 1]
    right = arrays["decision"] == target
    assert right.mean() == result.summary["test_accuracy"]
    equal = arrays["classes"][:, 0] == arrays["classes"][:, 1]
    assert right[equal].mean() == pytest.approx(result.summary["test_accuracy_equal"])
    assert right[~equal].mean() == pytest.approx(result.summary["test_accuracy_unequal"])


def test_weights_that_need_full_precision_keep_it(monkeypatch):
    monkeypatch.setattr("core.training.procedure.count_right", lambda *_: next(counts))
    training = Training(RunSettings(**SMALL, model="TwoBranchesModel"))
    before = {name: tensor.detach().clone() for name, tensor in training.network.named_parameters()}
    counts = iter([(999, None)])  # in half precision one more decision is wrong
    stored = safetensors.numpy.load(training._pack_weights(1000))
    assert all(np.array_equal(stored[name], tensor.numpy()) for name, tensor in before.items())
    counts = iter([(1000, None)])
    assert safetensors.numpy.load(training._pack_weights(1000))[next(iter(stored))].dtype == np.float16


def test_the_traces_upper_half_is_at_least_one_half():
    assert quantise(torch.tensor([0.0, 0.4999999, 0.5, 1.0])).tolist() == [0, 127, 128, 255]


def test_losses_add_up():
    record = train(model="WeightSharingAuxiliaryModel", auxiliary_weight=0.5, max_epochs=1)[0][0]
    assert record.training_loss == pytest.approx(record.comparison_loss + 0.5 * record.digits_loss, rel=1e-5)


def test_equal_settings_give_an_equal_history_to_the_last_digit():
    settings = {"model": "TwoBranchesModel", "dropout": 0.25, "max_epochs": 3}
    (_, first), (_, again) = train(**settings), train(**settings)
    for result in (first, again):
        for record in result.history:
            del record["seconds"]
    assert first.history == again.history
    assert first.weights == again.weights
    assert first.predictions == again.predictions


def test_the_global_random_state_is_left_alone():
    before = torch.random.get_rng_state()
    train(dropout=0.5, max_epochs=1)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_patience_counts_epochs_without_a_better_validation_accuracy(monkeypatch):
    accuracies = iter([0.5, 0.6, 0.6, 0.5, 0.7, 0.7, 0.6, 0.7])
    training = Training(RunSettings(**{**SMALL, "max_epochs": 50, "patience": 3}))
    run_epoch = training._run_epoch

    def scripted(epoch):
        record = run_epoch(epoch)
        return type(record)(**{**vars(record), "validation_accuracy": next(accuracies)})

    monkeypatch.setattr(training, "_run_epoch", scripted)
    assert len(list(training.epochs())) == 8
    summary = training.finish().summary
    assert (summary["stop_reason"], summary["best_epoch"]) == ("patience", 5)
    monkeypatch.undo()
    [_, until_then] = train(max_epochs=5)
    assert summary["best_epoch_test_accuracy"] == until_then.summary["test_accuracy"]


def test_reaching_the_last_epoch_and_being_stopped_are_told_apart():
    assert train(max_epochs=2)[1].summary["stop_reason"] == "max_epochs"
    training = Training(RunSettings(**SMALL))
    for _ in training.epochs():
        break
    assert training.finish().summary["stop_reason"] == "stopped"


def test_dropout_is_off_at_evaluation_unless_the_settings_leave_it_on():
    inputs = torch.randn(50, 2, 14, 14, generator=torch.Generator().manual_seed(0))
    network = build_network(RunSettings(dropout=0.5))
    first, again = (evaluate(network, inputs).digits for _ in range(2))
    assert torch.equal(first, again)
    first, again = (evaluate(network, inputs, dropout_on=True).digits for _ in range(2))
    assert not torch.equal(first, again)


def test_stored_weights_answer_as_the_trained_network_did(tmp_path):
    settings = RunSettings(**SMALL)
    training = Training(settings)
    list(training.epochs())
    result = training.finish()
    writer = RunStore(tmp_path).claim(settings)
    writer.finish(result)
    writer.close()
    [ensemble], problems = load_ensembles(RunStore(tmp_path))
    assert problems == []
    test = draw_round(settings.seed, settings.training_pairs).test
    decisions = decide(Output(None, ensemble.outputs(test.images).digits[0]))
    assert (decisions == test.target.bool()).double().mean().item() == pytest.approx(result.summary["test_accuracy"])


def test_rounds_answer_together_as_they_do_alone(tmp_path):
    store = RunStore(tmp_path)
    for settings in RunSettings(model="WeightSharingAuxiliaryModel", **{**SMALL, "max_epochs": 1}).rounds(3):
        training = Training(settings)
        list(training.epochs())
        writer = store.claim(settings)
        writer.finish(training.finish())
        writer.close()
    [ensemble], _ = load_ensembles(store)
    frames = draw_round(9).test.images[:4]
    together = ensemble.outputs(frames)
    for index, run in enumerate(sorted(store, key=lambda run: run.settings.seed)):
        network = build_network(run.settings)
        load_weights(network, run.weights())
        alone = evaluate(network, standardise(frames, run.summary["mean"], run.summary["deviation"]))
        torch.testing.assert_close(together.comparison[index], alone.comparison, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(together.digits[index], alone.digits, rtol=1e-4, atol=1e-4)
    [verdict] = ensemble.answer(frames[0].numpy())
    assert verdict.rounds == 3
    assert verdict.probability == pytest.approx(np.mean(verdict.probabilities))
    assert verdict.digits.sum(axis=1).tolist() == pytest.approx([1, 1])


def test_weights_of_another_network_are_refused():
    other = {
        name: p.detach().numpy() for name, p in build_network(RunSettings(model="TwoBranchesModel")).named_parameters()
    }
    with pytest.raises(ValueError, match="The weights belong to another network"):
        load_weights(build_network(RunSettings()), other)


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_a_run_that_changes_its_process_goes_on_to_the_last_digit(model):
    settings = RunSettings(**{**SMALL, "max_epochs": 12}, model=model, dropout=0.25)
    alone, first, second = (Training(settings) for _ in range(3))
    list(alone.epochs())
    for _ in range(5):
        first.step()
    second.restore(pickle.loads(pickle.dumps(first.state())))
    list(second.epochs())
    for record in (*alone.history, *second.history):
        object.__setattr__(record, "seconds", 0.0)
    assert second.history == alone.history
    ours, theirs = second.finish(), alone.finish()
    assert (ours.weights, ours.predictions) == (theirs.weights, theirs.predictions)
    times = {"seconds": 0.0}
    assert {**ours.summary, **times} == {**theirs.summary, **times}


def test_runs_trained_in_turns_are_those_trained_alone():
    rounds = [RunSettings(**SMALL, model=model, dropout=0.5) for model in MODEL_NAMES[-2:]]
    alone = [list(Training(settings).epochs()) for settings in rounds]
    both = [Training(settings) for settings in rounds]
    for _ in range(6):
        for training in both:
            training.step()
    for training, records in zip(both, alone, strict=True):
        losses = [record.training_loss for record in records]
        assert [record.training_loss for record in training.history] == losses
