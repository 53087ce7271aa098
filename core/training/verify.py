"""Whether a run in the store is what it says: its files can be read, and its weights give its test accuracy."""

import torch

from core.mnist.pairs import draw_round, standardise
from core.networks.ensemble import load_network
from core.networks.objectives import count_right
from core.runs.store import Run, StoreError, UnreadableRun
from core.training.procedure import evaluate


def check_run(run: Run | UnreadableRun) -> tuple[str, bool]:
    """The problem of a run in one sentence (empty: none), and whether its test accuracy was recomputed.

    Where dropout was left on at evaluation the stored figure is one draw of a random one and is not recomputed.
    """
    if isinstance(run, UnreadableRun) or run.state != "finished":
        return (run.problem if run.state in ("damaged", "failed") else ""), False
    try:
        if run.history_problem:
            return run.history_problem, False
        if run.is_result_alone:
            return _check_result_alone(run), False
        predictions = run.predictions()
        target = predictions["classes"][:, 0] <= predictions["classes"][:, 1]
        if (predictions["decision"] == target).mean() != run.summary["test_accuracy"]:
            return f"The predictions of {run.run_id} do not give its stored test accuracy.", False
        if not run.has_weights or run.settings.dropout_at_evaluation:
            return "", False
        recomputed = recompute_test_accuracy(run)
    except (StoreError, ValueError, KeyError) as error:
        return f"{run.run_id}: {error}", False
    if recomputed != run.summary["test_accuracy"]:
        stored = run.summary["test_accuracy"]
        return f"The weights of {run.run_id} give a test accuracy of {recomputed:.3f}, stored is {stored:.3f}.", True
    return "", True


def _check_result_alone(run: Run) -> str:
    """Whether the accuracies on unequal and on equal digits give that on all, with the round's own test pairs."""
    lacking = [name for name in ("test_accuracy_unequal", "test_accuracy_equal") if run.summary.get(name) is None]
    if lacking:
        return f"The result of {run.run_id}, which is kept alone, lacks {' and '.join(lacking)}."
    test = draw_round(run.settings.seed, run.settings.training_pairs).test
    equal = int((test.classes[:, 0] == test.classes[:, 1]).sum())
    right = run.summary["test_accuracy_unequal"] * (len(test) - equal) + run.summary["test_accuracy_equal"] * equal
    if abs(right - run.summary["test_accuracy"] * len(test)) > 1e-6:
        return f"The accuracies of {run.run_id} on unequal and on equal digits do not give its test accuracy."
    return ""


def recompute_test_accuracy(run: Run) -> float:
    """The test accuracy of the stored weights on the 1,000 test pairs of the run's own round."""
    torch.set_num_threads(1)
    test = draw_round(run.settings.seed, run.settings.training_pairs).test
    output = evaluate(load_network(run), standardise(test.images, run.summary["mean"], run.summary["deviation"]))
    return count_right(output, test.target, test.classes)[0] / len(test)
