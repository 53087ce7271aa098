"""How the rounds of a race stand, in words."""

from collections import Counter
from collections.abc import Mapping, Sequence

from core.analysis.race import Lane
from core.cluster.engine import Engine
from core.runs.store import Run, UnreadableRun
from pages.app.text import as_text

Runs = Mapping[str, Run | UnreadableRun]
WORDS = {
    "finished": "finished",
    "stopped": "stopped",
    "interrupted": "interrupted",
    "failed": "failed",
    "damaged": "set aside",
    "missing": "not trained yet",
}


def find_ended(runs: Runs) -> set[str]:
    """The rounds that nobody trains any more, or yet."""
    return {run_id for run_id, run in runs.items() if run.state != "active"}


def describe_rounds(runs: Runs, engine: Engine, differences: str, open_for_training: bool) -> str:
    """How many rounds are in which state, and what is wrong with which; `differences` are those from the report's
    settings."""
    counts = Counter(_name_state(run, engine) for run in runs.values()).most_common()
    noun = "rounds" if len(runs) > 1 else "round"
    sentences = [f"{len(runs)} {noun}: {', '.join(f'{number} {word}' for word, number in counts)}."]
    if open_for_training and any(run.state not in ("finished", "active", "missing") for run in runs.values()):
        sentences.append("*Start training* goes on with the rest.")
    if differences:
        sentences.append(f"Other than the report's: {differences}.")
    if elsewhere := runs.keys() - find_ended(runs) - engine.jobs.keys():
        sentences.append(f"Another program on this store trains {len(elsewhere)} of them; their epochs appear here.")
    if alone := sum(isinstance(run, Run) and run.is_result_alone for run in runs.values()):
        sentences.append(f"The result alone is kept of {alone} of them, as of a study: without curves.")
    problems = (_tell_problem(run, engine) for run in runs.values())
    return " ".join([*sentences, *dict.fromkeys(filter(None, problems))])


def describe_lanes(lanes: Sequence[Lane], runs: Runs, engine: Engine) -> dict[str, str]:
    """A lane's name -> its rounds' states; empty for a lane all of whose rounds train or have finished."""
    words = {}
    for lane in lanes:
        states = [_name_state(runs[settings.run_id], engine) for settings in lane.rounds]
        told = Counter(states).most_common()
        whole = len(told) == 1
        words[lane.name] = ", ".join(word if whole else f"{number} {word}" for word, number in told)
        if whole and told[0][0] in ("training", "finished"):
            words[lane.name] = ""
    return words


def _name_state(run: Run | UnreadableRun, engine: Engine) -> str:
    """A round's state in a word or two."""
    job = engine.jobs.get(run.run_id)
    if job is not None and not job.ended:
        return "stopping" if job.stopping else "training" if job.running else "waiting"
    return WORDS.get(run.state, "training")


def _tell_problem(run: Run | UnreadableRun, engine: Engine) -> str:
    """What is wrong with a round, in a sentence; empty if its state says it all."""
    if run.state == "finished":
        return as_text(run.history_problem)
    return as_text(engine.problems.get(run.run_id, run.problem if run.state in ("failed", "damaged") else ""))
