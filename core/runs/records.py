"""What the files of a run hold: the schema of each, and what is made of content that does not keep to it."""

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from pydantic_core import from_json

from core.mnist.files import TEST_COUNT
from core.runs.files import read_start

MOST_EPOCHS = 500  # of any run: the highest number that RunSettings.max_epochs allows
TRACE_EVERY = 5  # epochs between two looks at the test pairs; each costs about two fifths of an epoch
MOST_TEXT = 500  # characters of a failed run's error that are kept
MOST_BYTES = {  # what the readers of a run take from each of its files; the largest true ones have a tenth of it
    "settings.json": 2**16,
    "result.json": 2**16,
    "history.jsonl": 2**20,
    "weights.safetensors": 2**24,
    "predictions.safetensors": 2**24,
}
METRICS = {  # the name of a record's field -> what people call it
    "validation_accuracy": "Validation accuracy",
    "training_accuracy": "Training accuracy",
    "validation_loss": "Validation loss",
    "training_loss": "Training loss",
}
PREDICTION_SHAPES: dict[str, tuple[str | int, ...]] = {
    "indices": ("pairs", 2),
    "classes": ("pairs", 2),
    "digits": ("pairs", 2),
    "probability": ("pairs",),
    "decision": ("pairs",),
    "trace_epochs": ("epochs",),
    "trace": ("epochs", "pairs"),
}
PREDICTION_LIMITS = {"indices": TEST_COUNT - 1, "classes": 9, "digits": 9, "probability": 1}

Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Epochs = Annotated[int, Field(ge=0, le=MOST_EPOCHS)]
StopReason = Literal["patience", "max_epochs", "stopped"]


@dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid"))
class EpochRecord:
    """What one epoch measured: losses are means in nats, accuracies are shares of 1, `seconds` is processor time,
    which a busy machine changes little.

    Training figures are those of the epoch's own batches, so with dropout on. A part that the architecture does
    not have (a learnt comparison, digit classes) is None. A loss is no number (NaN) in a training that diverged.
    """

    epoch: int
    training_loss: float
    comparison_loss: float | None
    digits_loss: float | None
    training_accuracy: Share
    validation_loss: float
    validation_accuracy: Share
    digit_accuracy: Share | None
    seconds: Seconds


EPOCH_FIELDS = tuple(EpochRecord.__dataclass_fields__)
_EPOCH = TypeAdapter(EpochRecord)


class Finished(BaseModel):
    """Those fields of a finished run's result that somebody reads; it may hold more, such as the processor's name."""

    model_config = ConfigDict(strict=True)

    test_accuracy: Share
    epochs: Epochs
    seconds: Seconds
    stop_reason: StopReason
    mean: Finite
    deviation: Finite
    training_accuracy: Share
    test_digit_accuracy: Share | None
    # The reproduction's runs were trained before results told these.
    test_accuracy_unequal: Share | None = None
    test_accuracy_equal: Share | None = None
    best_epoch: Epochs | None = None
    best_epoch_test_accuracy: Share | None = None
    without_history: bool = False


class Unfinished(BaseModel):
    """The whole result of a run that was stopped or has failed."""

    model_config = ConfigDict(strict=True, extra="forbid")

    state: Literal["stopped", "failed"]
    epochs: Epochs
    ended: str
    error: str = ""


def parse_history(content: bytes) -> tuple[list[EpochRecord], int]:
    """The records of a history file, one epoch per line, and the length in bytes of the lines that hold them.

    Reading ends at the first line that is torn, is no record, or is out of order.
    """
    records: list[EpochRecord] = []
    length = 0
    for line in content.split(b"\n", MOST_EPOCHS)[:-1]:  # the last part is an unfinished line, or too much
        try:
            record = _EPOCH.validate_json(line)
        except ValidationError:
            break
        if record.epoch != len(records) + 1:
            break
        records.append(record)
        length += len(line) + 1
    return records, length


def read_history(path: Path) -> tuple[list[dict[str, Any]], int]:
    """The whole records of a history file and the length in bytes of the lines that hold them.

    Reading ends at the first line that is torn, is no record, or is out of order. Raises OSError if there is a
    file that cannot be read.
    """
    try:
        content = read_start(path, MOST_BYTES["history.jsonl"])
    except FileNotFoundError:
        return [], 0
    records, length = parse_history(content)
    return [vars(record) for record in records], length


def parse_object(content: bytes) -> dict[str, Any]:
    """A JSON object; raises ValueError, which names no file, if the content is none."""
    try:
        value = from_json(content)  # unlike json, it refuses what is no text, such as half of a surrogate pair
    except ValueError:
        raise ValueError("is not JSON") from None
    if not isinstance(value, dict):
        raise ValueError("is not a JSON object")
    return value


def find_wrong_field(summary: dict[str, Any]) -> str:
    """The name of a field of a run's result that is missing or has an impossible value; empty: none."""
    schema: type[BaseModel] = Finished if summary.get("state") == "finished" else Unfinished
    try:
        schema.model_validate(summary)
    except ValidationError as error:
        return str(error.errors()[0]["loc"][0])
    return ""


def as_sentence(text: str) -> str:
    """What an error says, in one line of at most MOST_TEXT characters that can be written to any file."""
    line = " ".join(text.encode(errors="replace").decode().split())
    return line if len(line) <= MOST_TEXT else f"{line[:MOST_TEXT]}…"


def find_wrong_array(arrays: dict[str, np.ndarray]) -> str:
    """The name of an array of predictions whose shape does not fit the others or that holds impossible values; empty:
    none."""
    sizes: dict[str | int, int] = {2: 2}
    for name, shape in PREDICTION_SHAPES.items():
        if name not in arrays:
            continue
        values = arrays[name]
        if values.ndim != len(shape):
            return name
        for axis, size in zip(shape, values.shape, strict=True):
            expected = sizes.setdefault(axis, size)  # the first array with this axis says how long it is
            if size != expected:
                return name
        if not np.all(np.isfinite(values) & (values >= 0)):
            return name
        if name in PREDICTION_LIMITS and not np.all(values <= PREDICTION_LIMITS[name]):
            return name
    return ""
