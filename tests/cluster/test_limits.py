"""What a visitor may queue: read from the environment, told in one sentence."""

import pytest

from core.cluster.limits import LimitError, Limits
from core.runs.settings import RunSettings, SettingsError

ROUNDS = RunSettings(max_epochs=100).rounds(3)


def limits(**values: str) -> Limits:
    return Limits.from_environment({f"PAIR_{name.upper()}": value for name, value in values.items()})


def test_without_variables_the_defaults_hold_and_others_variables_are_passed_over():
    known = Limits.from_environment({"PAIR_RUNS": "elsewhere", "HOME": "/"})
    assert known == Limits()
    assert known.model_dump() == {"training": "on", "max_runs": 20, "max_epochs": 2_000, "max_queue": 600}


def test_every_variable_is_read():
    known = limits(training="report", max_runs="3", max_epochs="250", max_queue="7")
    assert known.model_dump() == {"training": "report", "max_runs": 3, "max_epochs": 250, "max_queue": 7}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("training", "yes", "PAIR_TRAINING is 'yes', but must be on, report or off."),
        ("max_runs", "many", "PAIR_MAX_RUNS is 'many', but must be a whole number from 1 to 1,000."),
        ("max_runs", "0", "PAIR_MAX_RUNS is '0', but must be a whole number from 1 to 1,000."),
        ("max_epochs", "1.5", "PAIR_MAX_EPOCHS is '1.5', but must be a whole number from 1 to 500,000."),
        ("max_queue", "-1", "PAIR_MAX_QUEUE is '-1', but must be a whole number from 1 to 10,000."),
    ],
)
def test_a_wrong_variable_is_one_sentence(name, value, sentence):
    with pytest.raises(SettingsError) as error:
        limits(**{name: value})
    assert str(error.value) == sentence


def test_training_can_be_off_or_kept_to_the_reports_settings():
    free, other = RunSettings(model="TwoBranchesModel", dropout=0.5, seed=7), RunSettings(hidden_units=64)
    assert Limits().objection(free) == Limits().objection(other) == ""
    assert limits(training="off").objection(free).startswith("Training is switched off on this server")
    assert limits(training="report").objection(free) == ""
    assert limits(training="report").objection(other).endswith("may differ, but here: hidden units 64.")


@pytest.mark.parametrize(
    ("known", "held", "queued", "sentence"),
    [
        (limits(max_runs="3"), [], 3, ""),
        (
            limits(max_runs="3"),
            [RunSettings(seed=9)],
            4,
            "You may have 3 runs queued at once, and this asks for 3 beside",
        ),
        (
            limits(max_runs="2"),
            [],
            3,
            "You may have 2 runs queued at once, and this asks for 3: choose fewer rounds, or wait.",
        ),
        (limits(max_epochs="300"), [], 3, ""),
        (
            limits(max_epochs="299"),
            [],
            3,
            "Your queued runs may come to 299 epochs at most, and this asks for 300: choose fewer, or wait.",
        ),
        (limits(max_epochs="350"), ROUNDS[:1], 4, "and this asks for 300 beside 100 you have: choose fewer, or wait."),
        (limits(max_queue="5"), [], 5, ""),
        (limits(max_queue="5"), [], 6, "The queue is full: this server takes 5 runs at once; try again later."),
        (limits(training="off"), [], 3, "Training is switched off"),
    ],
)
def test_a_request_is_judged_as_a_whole(known, held, queued, sentence):
    if not sentence:
        known.check(ROUNDS, held, queued)
        return
    with pytest.raises(LimitError) as error:
        known.check(ROUNDS, held, queued)
    assert sentence in str(error.value)
