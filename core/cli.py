"""The command line: train, reproduce, look at the store, predict. JSON goes to stdout alone, messages to stderr."""

import json
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import Progress
from rich.table import Table

from core.cluster.engine import SCHEDULER
from core.follow import follow
from core.processes import ROOT
from core.runs.plan import is_shipped_with_weights, plan_reproduction
from core.runs.settings import MODEL_NAMES, RunSettings, SettingsError
from core.runs.store import STORE, Run, RunStore, StoreError, UnreadableRun
from core.runs.studies import STUDIES, study_run_ids
from core.shell import (
    JsonOption,
    SchedulerOption,
    StoreOption,
    WorkersOption,
    messages,
    name_foreign,
    name_what_is_left_out,
    one_sentence,
    open_store,
    out,
)

if TYPE_CHECKING:
    from core.networks.verdicts import Verdict

DEFAULTS = RunSettings()

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None, help=__doc__
)
runs_app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
app.add_typer(runs_app, name="runs")


@app.command()
def train(
    context: typer.Context,
    model: Annotated[str, typer.Option(help=f"One of {', '.join(MODEL_NAMES)}.")] = DEFAULTS.model,
    dropout: Annotated[float, typer.Option(help="Probability, 0 to 0.9.")] = DEFAULTS.dropout,
    nb_rounds: Annotated[int, typer.Option("--nb_rounds", "--nb-rounds", "--rounds", help="1 to 100.")] = 10,
    seed: Annotated[int, typer.Option(help="The first round's; the next round's is one more.")] = DEFAULTS.seed,
    dropout_at_evaluation: Annotated[bool, typer.Option(help="Leave dropout on while evaluating.")] = False,
    training_pairs: Annotated[int, typer.Option(help="100 to 25,000.")] = DEFAULTS.training_pairs,
    max_epochs: Annotated[int, typer.Option(help="1 to 500.")] = DEFAULTS.max_epochs,
    patience: Annotated[int, typer.Option(help="Epochs without improvement, 1 to 500.")] = DEFAULTS.patience,
    learning_rate: Annotated[float, typer.Option(help="0.000001 to 0.1.")] = DEFAULTS.learning_rate,
    batch_size: Annotated[int, typer.Option(help="10 to 1,000.")] = DEFAULTS.batch_size,
    hidden_units: Annotated[int, typer.Option(help="4 to 512.")] = DEFAULTS.hidden_units,
    auxiliary_weight: Annotated[float, typer.Option(help="0 to 100.")] = DEFAULTS.auxiliary_weight,
    store: StoreOption = STORE,
    scheduler: SchedulerOption = SCHEDULER,
    workers: WorkersOption = None,
) -> None:
    """Train rounds of one architecture (default: 10 of DirectClassificationModel, as the report's script does)."""
    values = {name: context.params[name] for name in RunSettings.model_fields}
    with one_sentence():
        rounds = RunSettings.parse(values).rounds(nb_rounds)
        run_store = RunStore(store)
        complete = follow(run_store, rounds, scheduler, workers, messages)
        accuracies = [_print_round(settings.seed, run_store.read(settings.run_id)) for settings in rounds]
        finished = [accuracy for accuracy in accuracies if accuracy is not None]
        if finished:
            out.print(f"{model}: {_mean_and_deviation(finished)} (test accuracy, n = {len(finished)})")
    if not complete or len(finished) < len(rounds):
        raise typer.Exit(1)


@app.command()
def reproduce(
    store: StoreOption = STORE,
    scheduler: SchedulerOption = SCHEDULER,
    workers: WorkersOption = None,
    study: Annotated[str | None, typer.Option(help=f"A study's runs instead: {', '.join(STUDIES)}.")] = None,
) -> None:
    """Train every run of the reproduction, or of a study, that the store lacks; go on after a stop."""
    with one_sentence():
        if study not in (None, *STUDIES):
            raise SettingsError(f"--study is {study!r}, but must be one of {', '.join(STUDIES)}.")
        run_store, plan = RunStore(store), STUDIES[study].plan() if study else plan_reproduction()
        missing = [settings for settings in plan if run_store.read(settings.run_id).state != "finished"]
        messages.print(f"{len(plan)} runs, {len(plan) - len(missing)} of them in the store already.")
        complete = not missing or follow(run_store, missing, scheduler, workers, messages)
        _drop_what_is_not_shipped(run_store, plan)
        unfinished = sum(run_store.read(settings.run_id).state != "finished" for settings in plan)
    messages.print(f"{len(plan) - unfinished} of {len(plan)} runs are in the store.")
    if not complete or unfinished:
        raise typer.Exit(1)


def _drop_what_is_not_shipped(store: RunStore, plan: list[RunSettings]) -> None:
    for settings in plan:
        run = store.read(settings.run_id)
        if settings.run_id in study_run_ids():
            if run.state == "finished" and not run.is_result_alone:
                store.keep_result_alone(settings.run_id)
        elif not is_shipped_with_weights(settings):
            store.drop_weights(settings.run_id)


def _mean_and_deviation(accuracies: list[float]) -> str:
    from core.analysis.numbers import mean_and_deviation

    deviation = statistics.stdev(accuracies) if len(accuracies) > 1 else float("nan")
    return mean_and_deviation(statistics.fmean(accuracies), deviation)


def _print_round(seed: int, run: Run | UnreadableRun) -> float | None:
    if run.state != "finished":
        out.print(f"round with seed {seed}: {run.state}, {len(run.history)} epochs. {run.problem}", markup=False)
        return None
    accuracy: float = run.summary["test_accuracy"]
    epochs, reason = run.summary["epochs"], run.summary["stop_reason"]
    out.print(f"round with seed {seed}: test accuracy {accuracy:.3f} after {epochs} epochs ({reason})")
    return accuracy


@app.command()
def table(
    store: StoreOption = STORE,
    as_json: JsonOption = False,
    as_text: Annotated[str | None, typer.Option("--format", help="Print it as markdown, latex or csv.")] = None,
    readme: Annotated[Path | None, typer.Option(help="Write it into this README, between its two marks.")] = None,
    own_rounds: Annotated[bool, typer.Option("--own-rounds", help="Count rounds beside the planned ones too.")] = False,
) -> None:
    """Print the results table from the store's runs of the reproduction, beside the report's numbers."""
    from core.analysis.agreement import compare_with_report
    from core.analysis.numbers import mean_and_deviation
    from core.analysis.tables import load_runs, only_planned, results_json
    from core.export import FORMATS, update_readme

    with one_sentence():
        if as_text not in (None, *FORMATS):
            raise SettingsError(f"--format is {as_text!r}, but must be one of {', '.join(FORMATS)}.")
        run_store = open_store(store)
        runs = load_runs(run_store)
        results = compare_with_report(runs if own_rounds else only_planned(runs))
        rows = results_json(results)
        name_what_is_left_out(run_store)
        if readme is not None:
            update_readme(readme, results)
            return
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    if as_text is not None:
        print(FORMATS[as_text](results))
        return
    view = Table(
        "model", "dropout", "rounds", "ours", "report", box=None, title="Test accuracy, mean ± standard deviation"
    )
    for row in rows:
        left_on = " (left on at evaluation)" if row["dropout_at_evaluation"] else ""
        ours = mean_and_deviation(row["mean"], row["std"])
        report = mean_and_deviation(row["report_mean"], row["report_std"])
        view.add_row(row["model"], f"{row['dropout']:g}{left_on}", str(row["rounds"]), ours, report)
    out.print(view)


@app.command()
def export(
    directory: Annotated[Path, typer.Argument(help="Where to; made if it does not exist.")],
    store: StoreOption = STORE,
) -> None:
    """Write the table (CSV, Markdown, LaTeX), runs and histories (Parquet), a report and its figures (HTML, SVG)."""
    from core.export import export_all

    with one_sentence():
        run_store = open_store(store)
        exported = export_all(run_store, directory)
        for path in exported.paths:
            out.print(path, markup=False)
        if exported.problem:
            messages.print(exported.problem, markup=False)
        name_what_is_left_out(run_store)


@runs_app.callback()
def runs(context: typer.Context, store: StoreOption = STORE, as_json: JsonOption = False) -> None:
    """List the runs in the store."""
    if context.invoked_subcommand is not None:
        return
    with one_sentence():
        run_store = open_store(store)
    rows = [_describe(run) for run in run_store]
    name_what_is_left_out(run_store)
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    view = Table("run", "state", "dropout", "seed", "epochs", "test accuracy", box=None)
    for row in rows:
        cells = (row["run_id"], row["state"], row["dropout"], row["seed"], row["epochs"], row["test_accuracy"])
        view.add_row(*("–" if cell is None else str(cell) for cell in cells))
    out.print(view)


def _describe(run: Run | UnreadableRun) -> dict[str, Any]:
    settings: dict[str, Any] = dict.fromkeys(RunSettings.model_fields)
    summary: dict[str, Any] = {}
    if isinstance(run, Run):
        settings, summary = run.settings.model_dump(), run.summary
    return {
        "run_id": run.run_id,
        "state": run.state,
        **settings,
        "epochs": summary.get("epochs", len(run.history)),
        "test_accuracy": summary.get("test_accuracy"),
        "weights": run.has_weights,
        "problem": run.problem,
    }


@runs_app.command("check")
def check(
    context: typer.Context,
    store: Annotated[Path | None, typer.Option("--store", help="The folder of the run store.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Verify the store: every file, and each test accuracy recomputed from the weights."""
    from core.training.verify import check_run

    assert context.parent is not None
    given = context.parent.params  # the options may also stand before the word check
    with one_sentence():
        run_store = open_store(store or given["store"])
    rows: list[dict[str, Any]] = []
    with Progress(console=messages, transient=True) as progress:
        for run in progress.track(list(run_store), description="Checking"):
            problem, recomputed = check_run(run)
            rows.append({"run_id": run.run_id, "recomputed": recomputed, "problem": problem})
    problems = [row["problem"] for row in rows if row["problem"]]
    if as_json or given["as_json"]:
        print(json.dumps(rows, indent=1))
    else:
        checked = sum(row["recomputed"] for row in rows)
        total = f"{len(rows)} runs, {checked} test accuracies recomputed, {len(problems)} problems."
        for sentence in [*problems, total]:
            out.print(sentence, markup=False)
    name_foreign(run_store)  # the problems have named what is set aside
    if problems:
        raise typer.Exit(1)


@app.command()
def architectures() -> None:
    """Read the structure of all networks from the live modules and write what their screen shows of it."""
    from core.networks.structure import STRUCTURES, dump_architectures
    from core.networks.trace import describe_architectures

    with one_sentence():
        STRUCTURES.write_bytes(dump_architectures(describe_architectures()))
    out.print(f"The structure of {len(MODEL_NAMES)} networks is in {STRUCTURES.relative_to(ROOT)}.")


@app.command()
def predict(
    first: Annotated[Path, typer.Argument(help="A picture of the first digit.")],
    second: Annotated[Path, typer.Argument(help="A picture of the second digit.")],
    model: Annotated[str, typer.Option(help="An architecture, or all.")] = "all",
    store: StoreOption = STORE,
    as_json: JsonOption = False,
) -> None:
    """Read two pictures of digits and print each trained network's decision and probability."""
    from core.drawing.photo import frame_from_image

    with one_sentence():
        if model not in (*MODEL_NAMES, "all"):
            raise SettingsError(f"model is {model!r}, but must be one of {', '.join(MODEL_NAMES)} or all.")
        frames = []
        for path in (first, second):
            try:
                frames.append(frame_from_image(path))
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from None
        rows = _predict(frames, model, RunStore(store))
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    view = Table("model", "dropout", "rounds", "first ≤ second", "probability", "digits", box=None)
    for row in rows:
        answer = "yes" if row["first_le_second"] else "no"
        digits = ", ".join(map(str, row["digits"])) if "digits" in row else "–"
        cells = (f"{row['dropout']:g}", str(row["rounds"]), answer, f"{row['probability']:.3f}", digits)
        view.add_row(row["model"], *cells)
    out.print(view)


def _predict(frames: list[Any], model: str, store: RunStore) -> list[dict[str, Any]]:
    import numpy as np

    from core.networks.ensemble import load_ensembles

    ensembles, problems = load_ensembles(run for run in store if model in ("all", run.run_id.split("-")[0]))
    for problem in problems:
        messages.print(problem, markup=False)
    if not ensembles:
        which = "network" if model == "all" else model
        raise StoreError(f"No trained {which} is in {store.root}; train one with: python -m core train --model NAME.")
    return [_describe_verdict(verdict) for ensemble in ensembles for verdict in ensemble.answer(np.stack(frames))]


def _describe_verdict(verdict: "Verdict") -> dict[str, Any]:
    row = {
        "model": verdict.settings.model,
        "dropout": verdict.settings.dropout,
        "rounds": verdict.rounds,
        "first_le_second": verdict.first_le_second,
        "probability": verdict.probability,
    }
    return row if verdict.digits is None else {**row, "digits": verdict.digits.argmax(axis=1).tolist()}
