"""Whether a server can do its work: engine, store and disk."""

import os
import shutil
from typing import Any

from core.cluster.engine import Engine

LOW_DISK = 100 * 2**20  # bytes; a thousand runs without weights, some hundred with


def check_health(engine: Engine) -> dict[str, Any]:
    """`healthy`, and under `engine`, `store` and `disk` what each is like, for people and for machines.

    An engine that nobody has needed yet is healthy; where training is off, a store that cannot be written is too.
    """
    root = engine.store.root
    present = root if root.is_dir() else root.parent  # a store is made with its first run
    free = shutil.disk_usage(present).free if present.is_dir() else 0
    runs, writable = len(engine.store.names()), os.access(present, os.W_OK)
    training = engine.limits.training != "off"
    state = engine.state if training else "off"
    return {
        "healthy": not training or (state != "lost" and writable and free >= LOW_DISK),
        "engine": {
            "state": state,
            "problem": engine.sentence,
            "heard_seconds_ago": None if engine.heard is None else round(engine.heard, 1),
            "runs_training_or_waiting": len(engine.jobs),
        },
        "store": {"runs": runs, "writable": writable},
        "disk": {"free_bytes": free, "low": free < LOW_DISK},
    }
