"""What a race tells a screen reader."""

from core.analysis.race import Standing, make_lanes
from core.runs.settings import RunSettings
from pages.components.race import tell_lead, tell_phase

ONE, OTHER = make_lanes([RunSettings(model="DirectClassificationModel"), RunSettings(model="TwoBranchesModel")], 1)
NAMES = {ONE.rounds[0].run_id, OTHER.rounds[0].run_id}


def stand(lane, validation=None, test=None) -> Standing:
    return Standing(lane, (0, 0), validation, int(test is not None), test, None, None)


def test_start_stop_and_end_of_a_race_are_told_and_nothing_before_it():
    assert tell_phase([stand(ONE), stand(OTHER)], NAMES) == ""
    assert tell_phase([stand(ONE, 0.5), stand(OTHER)], {ONE.rounds[0].run_id}) == "Training."
    assert tell_phase([stand(ONE, 0.5, 0.9), stand(OTHER, 0.5)], NAMES) == "Training has stopped."
    ended = tell_phase([stand(ONE, 0.5, 0.966), stand(OTHER, 0.5, 0.8)], NAMES)
    lead = "Direct classification has the highest test accuracy: 96.6 %, 16.6 points ahead of Two branches."
    assert ended == f"Training has ended. {lead}"


def test_the_chart_says_who_leads_and_by_how_much_once_all_have_ended():
    ended = [stand(ONE, 0.5, 0.966), stand(OTHER, 0.5, 0.9658)]
    assert tell_lead(ended, NAMES) == ("Direct classification and Two branches have the highest test accuracy: 96.6 %.")
    assert tell_lead(ended[:1], NAMES) == "The test accuracy: 96.6 %."
    for going_on in ((ended, {ONE.rounds[0].run_id}), ([stand(ONE, 0.5, 0.9), stand(OTHER, 0.5)], NAMES)):
        assert tell_lead(*going_on) == "The table beside it says how they stand."
