"""What visitors of a server may train, and how much at once; read from the environment.

PAIR_TRAINING     on, report (architecture, dropout, rounds and seed alone may differ from the report's) or off
PAIR_MAX_RUNS     runs that one visitor may have queued or training
PAIR_MAX_EPOCHS   epochs that these runs may come to at most
PAIR_MAX_QUEUE    runs that all visitors together may have queued or training
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from core.runs.environment import FromEnvironment
from core.runs.settings import RunSettings, SettingsError

FREE = {"model", "dropout", "seed"}  # what may differ if the report's settings are asked for


class LimitError(SettingsError):
    """A request goes beyond what this server allows; the message is one sentence."""


class Limits(FromEnvironment):
    """The limits of one server. Every queued run holds an open file, which is why the whole queue has one too."""

    training: Annotated[Literal["on", "report", "off"], Field(alias="PAIR_TRAINING")] = "on"
    max_runs: Annotated[int, Field(ge=1, le=1_000, alias="PAIR_MAX_RUNS")] = 20
    max_epochs: Annotated[int, Field(ge=1, le=500_000, alias="PAIR_MAX_EPOCHS")] = 2_000
    max_queue: Annotated[int, Field(ge=1, le=10_000, alias="PAIR_MAX_QUEUE")] = 600

    def objection(self, settings: RunSettings) -> str:
        """Why this server does not train these settings, in a sentence; empty if it does."""
        if self.training == "off":
            return "Training is switched off on this server; what is stored can be looked at and replayed."
        if self.training == "report" and settings != RunSettings(**settings.model_dump(include=FREE)):
            return (
                "This server trains with the report's settings: only architecture, dropout, rounds and seed may "
                f"differ, but here: {settings.describe_differences()}."
            )
        return ""

    def check(self, wanted: Sequence[RunSettings], held: Sequence[RunSettings], queued: int) -> None:
        """Raise LimitError if a visitor who holds the runs `held` may not queue `wanted` as well.

        `queued` counts the runs of all visitors that would then wait or train.
        """
        for objection in filter(None, map(self.objection, wanted)):
            raise LimitError(objection)
        if len(wanted) + len(held) > self.max_runs:
            asked = _asked(len(wanted), len(held))
            raise LimitError(
                f"You may have {self.max_runs} runs queued at once, {asked}: choose fewer rounds, or wait."
            )
        epochs, held_epochs = (sum(settings.max_epochs for settings in runs) for runs in (wanted, held))
        if epochs + held_epochs > self.max_epochs:
            asked = _asked(epochs, held_epochs)
            raise LimitError(
                f"Your queued runs may come to {self.max_epochs:,} epochs at most, {asked}: choose fewer, or wait."
            )
        if queued > self.max_queue:
            raise LimitError(f"The queue is full: this server takes {self.max_queue:,} runs at once; try again later.")


def _asked(more: int, held: int) -> str:
    return f"and this asks for {more:,}" + (f" beside {held:,} you have" if held else "")
