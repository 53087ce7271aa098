"""Whether a server can do its work: engine, store, disk and the digits."""

import shutil
from contextlib import suppress
from typing import Any

from core.cluster.engine import Engine
from core.mnist.files import find_missing
from core.runs.store import StoreError

LOW_DISK = 100 * 2**20  # bytes; a thousand runs without weights, some hundred with


def check_health(engine: Engine) -> dict[str, Any]:
    """`healthy`, and under `engine`, `store`, `disk` and `digits` what each is like, for people and for machines.

    An engine that nobody has needed yet is healthy; if training is off, a store that cannot be written is too.
    """
    store = engine.store
    free = 0
    with suppress(OSError):  # a loop of links is no place
        free = shutil.disk_usage(store.place).free
    problem, missing = store.problem, find_missing()
    try:
        store.check_writable()
        writable = True
    except StoreError as error:
        problem, writable = problem or str(error), False
    training = engine.limits.training != "off"
    state = engine.state if training else "off"
    able = not training or (state != "lost" and writable and free >= LOW_DISK)
    return {
        "healthy": able and not store.problem and not missing,
        "engine": {
            "state": state,
            "problem": engine.sentence,
            "heard_seconds_ago": None if engine.heard is None else round(engine.heard, 1),
            "runs_training_or_waiting": len(engine.jobs),
        },
        "store": {"runs": len(store.names()), "writable": writable, "problem": problem},
        "disk": {"free_bytes": free, "low": free < LOW_DISK},
        "digits": {"problem": missing},
    }
