"""What a run is: validation in one sentence, identity, rounds."""

import json

import pytest

from core.runs.plan import is_shipped_with_weights, plan_reproduction
from core.runs.settings import MODEL_NAMES, RunSettings, SettingsError, check_run_id


def test_defaults_are_the_reports():
    assert RunSettings().model_dump() == {
        "model": "DirectClassificationModel",
        "dropout": 0.0,
        "dropout_at_evaluation": False,
        "seed": 0,
        "training_pairs": 1_000,
        "max_epochs": 100,
        "patience": 20,
        "learning_rate": 3e-4,
        "batch_size": 100,
        "hidden_units": 128,
        "auxiliary_weight": 1.0,
    }


def test_json_both_ways_keeps_the_identity():
    settings = RunSettings(model="TwoBranchesModel", dropout=0.1, learning_rate=1e-3)
    again = RunSettings.parse(json.loads(settings.model_dump_json()))
    assert again == settings
    assert again.run_id == settings.run_id


def test_equal_settings_are_one_run():
    assert RunSettings(dropout=-0.0, auxiliary_weight=-0.0).run_id == RunSettings(auxiliary_weight=0).run_id


def test_identity_is_stable_and_every_setting_counts():
    # A changed identity would orphan every shipped run.
    assert RunSettings().run_id == "DirectClassificationModel-d305d2a69192"
    changes = {
        "model": "TwoChannelsModel",
        "dropout": 0.25,
        "dropout_at_evaluation": True,
        "seed": 1,
        "training_pairs": 999,
        "max_epochs": 99,
        "patience": 19,
        "learning_rate": 1e-3,
        "batch_size": 99,
        "hidden_units": 127,
        "auxiliary_weight": 2.0,
    }
    assert changes.keys() == RunSettings.model_fields.keys()
    identities = {RunSettings(**{name: value}).run_id for name, value in changes.items()}
    assert len(identities | {RunSettings().run_id}) == len(changes) + 1


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"dropout": 0.95}, "dropout is '0.95', but must be a number from 0 to 0.9."),
        ({"dropout": float("nan")}, "dropout is 'nan', but must be a number from 0 to 0.9."),
        ({"seed": -1}, "seed is '-1', but must be a whole number from 0 to 2,147,483,647."),
        ({"training_pairs": 25_001}, "training_pairs is '25001', but must be a whole number from 100 to 25,000."),
        ({"patience": "soon"}, "patience is 'soon', but must be a whole number from 1 to 500."),
        ({"dropout_at_evaluation": "perhaps"}, "dropout_at_evaluation is 'perhaps', but must be true or false."),
        ({"model": "Perceptron"}, f"model is 'Perceptron', but must be one of {', '.join(MODEL_NAMES)}."),
    ],
)
def test_a_wrong_setting_is_one_sentence(values, sentence):
    with pytest.raises(SettingsError) as caught:
        RunSettings.parse(values)
    assert str(caught.value) == sentence


def test_an_unknown_setting_is_named():
    with pytest.raises(SettingsError, match="'droput' is no setting; allowed are model, dropout,"):
        RunSettings.parse({"droput": 0.1})


def test_rounds_count_up_the_seed():
    assert [settings.seed for settings in RunSettings(seed=5).rounds(3)] == [5, 6, 7]
    assert len({settings.cell() for settings in RunSettings(seed=5).rounds(3)}) == 1
    for count in (0, 101):
        with pytest.raises(SettingsError, match=f"rounds is {count}, but must be between 1 and 100"):
            RunSettings().rounds(count)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "../../etc",
        "DirectClassificationModel",
        "X-d305d2a69192",
        "a/b",
        "DirectClassificationModel-d305d2a69192/..",
    ],
)
def test_no_identity_from_outside_names_a_path(text):
    with pytest.raises(ValueError, match="is no run"):
        check_run_id(text)


def test_reproduction_has_two_columns_and_side_experiments():
    plan = plan_reproduction()
    assert len(plan) == len({settings.run_id for settings in plan}) == 340
    assert sum(is_shipped_with_weights(settings) for settings in plan) == 140
    assert all(is_shipped_with_weights(settings) for settings in plan[:140])
    assert sum(settings.dropout_at_evaluation for settings in plan) == 40
    control = [settings for settings in plan if settings.auxiliary_weight == 0]
    assert {settings.model for settings in control} == {"WeightSharingAuxiliaryModel"}
    assert sorted((settings.dropout, settings.seed) for settings in control) == [
        (dropout, seed) for dropout in (0.0, 0.25) for seed in range(10)
    ]


def test_a_copy_with_another_seed_is_another_run():
    settings = RunSettings()
    assert settings.run_id != settings.model_copy(update={"seed": 1}).run_id == RunSettings(seed=1).run_id
