"""Settings of a server that come from its environment: one small class per subject, one sentence for a wrong value."""

import os
from collections.abc import Mapping
from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from core.runs.settings import SettingsError


class FromEnvironment(BaseModel):
    """A field's alias is its variable's name. Fields are words to choose from, whole numbers with bounds, or texts
    with a pattern and one of `examples`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """What the variables set, defaults for the others; raises SettingsError naming the first wrong one."""
        names = [str(field.alias) for field in cls.model_fields.values()]
        try:
            return cls.model_validate({name: environment[name] for name in names if name in environment})
        except ValidationError as error:
            raise SettingsError(cls._explain(error)) from None

    @classmethod
    def _explain(cls, error: ValidationError) -> str:
        first = error.errors()[0]
        name, value = first["loc"][0], str(first["input"])[:60]
        field = next(field for field in cls.model_fields.values() if field.alias == name)
        return f"{name} is {value!r}, but must be {_name_allowed(field)}."


def _name_allowed(field: Any) -> str:
    if field.examples:
        return f"an address such as {field.examples[0]}"
    if words := get_args(field.annotation):
        return f"{', '.join(words[:-1])} or {words[-1]}"
    low, high = (getattr(limit, end) for limit, end in zip(field.metadata, ("ge", "le"), strict=True))
    return f"a whole number from {low:,} to {high:,}"
