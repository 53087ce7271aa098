"""What one run is: its settings, validated, and the identity that follows from them."""

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from core.runs.palette import PALETTE

MODEL_NAMES = tuple(PALETTE)  # the order of Table 1, kept everywhere
REPORT_MODELS = MODEL_NAMES[:7]  # the architectures of the report

if TYPE_CHECKING:
    ModelName = str
else:
    ModelName = Literal[MODEL_NAMES]  # no other name makes valid settings

MAX_ROUNDS = 100
MAX_SEED = 2**31 - 1 - MAX_ROUNDS  # the last round's seed still fits
_RUN_ID = re.compile(rf"({'|'.join(MODEL_NAMES)})-[0-9a-f]{{12}}")


class SettingsError(ValueError):
    """A setting is wrong; the message is one sentence that names it and what is allowed."""


class RunSettings(BaseModel):
    """The settings of one round of one architecture; defaults are the report's (common hyperparameters).

    Two runs with equal settings are the same run: `run_id` is computed from the values alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    model: ModelName = "DirectClassificationModel"
    dropout: Annotated[float, Field(ge=0, le=0.9)] = 0.0
    dropout_at_evaluation: bool = False
    seed: Annotated[int, Field(ge=0, le=MAX_SEED + MAX_ROUNDS)] = 0
    training_pairs: Annotated[int, Field(ge=100, le=25_000)] = 1_000
    max_epochs: Annotated[int, Field(ge=1, le=500)] = 100
    patience: Annotated[int, Field(ge=1, le=500)] = 20
    learning_rate: Annotated[float, Field(ge=1e-6, le=0.1)] = 3e-4
    batch_size: Annotated[int, Field(ge=10, le=1_000)] = 100
    hidden_units: Annotated[int, Field(ge=4, le=512)] = 128
    auxiliary_weight: Annotated[float, Field(ge=0, le=100)] = 1.0

    @classmethod
    def parse(cls, values: Mapping[Any, Any]) -> Self:
        """Validate `values`; raises SettingsError with one sentence about the first wrong one."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise SettingsError(_explain(error)) from None

    @field_validator("dropout", "auxiliary_weight")
    @classmethod
    def _without_sign(cls, value: float) -> float:
        return abs(value)  # −0.0 equals 0.0 and must not be another run

    @property
    def run_id(self) -> str:
        """Identity and folder name: the architecture and 12 hex digits of the settings' SHA-256."""
        canonical = self.model_dump_json().encode()  # fields in declared order, floats in shortest form
        return f"{self.model}-{hashlib.sha256(canonical).hexdigest()[:12]}"

    def rounds(self, count: int) -> list[Self]:
        """The settings of `count` rounds (1 to 100): seeds `seed`, `seed` + 1, …; raises SettingsError."""
        if not 1 <= count <= MAX_ROUNDS:
            raise SettingsError(f"rounds is {count}, but must be between 1 and {MAX_ROUNDS}.")
        return [self.parse({**self.model_dump(), "seed": self.seed + index}) for index in range(count)]

    def describe_differences(self) -> str:
        """What differs from the report's settings, apart from architecture, dropout and seed: 'hidden units 64, …'."""
        own = {"model", "dropout", "seed"}
        fields = type(self).model_fields.items()
        values = {name: getattr(self, name) for name, field in fields if name not in own}
        other = {name: value for name, value in values.items() if value != type(self).model_fields[name].default}
        return ", ".join(
            "left on at evaluation" if value is True else f"{name.replace('_', ' ')} {value:,.10g}"
            for name, value in other.items()
        )

    def cell(self) -> str:
        """The settings without the seed, as canonical JSON: runs that differ by their round alone share it."""
        return self.model_dump_json(exclude={"seed"})


@lru_cache(maxsize=4096)  # a store's thousand names are asked about several times for each screen
def is_run_id(text: str) -> bool:
    """Whether `text` can be a run's identity: then it never names a path outside the store."""
    return _RUN_ID.fullmatch(text) is not None


def check_run_id(text: str) -> str:
    """`text` if it can be a run's identity; else ValueError."""
    if not is_run_id(text):
        raise ValueError(f"{text[:60]!r} is no run: a run is named by its architecture and 12 hex digits.")
    return text


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    name, value = ".".join(map(str, first["loc"])) or "settings", first["input"]
    if first["type"] == "extra_forbidden":
        return f"{name!r} is no setting; allowed are {', '.join(RunSettings.model_fields)}."
    if first["type"] == "literal_error":
        return f"{name} is {str(value)[:60]!r}, but must be one of {', '.join(MODEL_NAMES)}."
    return f"{name} is {str(value)[:60]!r}, but {allowed(name)}."


def allowed(name: str) -> str:
    """What a numeric or boolean setting may be, as the end of a sentence: 'must be a number from 0 to 0.9'."""
    field = RunSettings.model_fields.get(name)
    if field is None:
        return "must be an object of settings"
    if field.annotation is bool:
        return "must be true or false"
    kind = "a whole number" if field.annotation is int else "a number"
    low, high = bounds(name)
    return f"must be {kind} from {low:,} to {high:,}"


def bounds(name: str) -> tuple[Any, Any]:
    """The lowest and the highest value that a numeric setting may have."""
    limits = RunSettings.model_fields[name].metadata
    return next(m.ge for m in limits if hasattr(m, "ge")), next(m.le for m in limits if hasattr(m, "le"))
