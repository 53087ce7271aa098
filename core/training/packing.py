"""What a finished run hands to the store beside its history: predictions, and the machine that computed them."""

import os
import platform
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import torch
from torch import Tensor

from core.mnist.pairs import Pairs
from core.networks.architectures import Output
from core.networks.objectives import decide, probability


def describe_machine() -> dict[str, Any]:
    """What a figure's caption needs to say of the machine: processor, cores, versions. No names of hosts or users."""
    names: list[str] = []
    with suppress(OSError):
        names = re.findall(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    processor = names[0] if names else platform.processor() or platform.machine()
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "torch": str(torch.__version__),  # a plain string, whose reader needs no torch
    }


def quantise(probabilities: Tensor) -> np.ndarray:
    """Probabilities in 256 steps, uint8; the upper half are exactly those of at least 0.5."""
    return (probabilities * 256).floor().clamp(max=255).numpy().astype(np.uint8)


def pack_predictions(test: Pairs, output: Output, trace: dict[int, Tensor]) -> bytes:
    """The test pairs' predictions as a safetensors file (RunResult says which arrays)."""
    arrays: dict[str, np.ndarray] = {
        "indices": test.indices.numpy().astype(np.int16),
        "classes": test.classes.numpy().astype(np.uint8),
        "probability": probability(output).numpy(),
        "decision": decide(output).numpy(),
        "trace_epochs": np.array(list(trace), dtype=np.int16),
        "trace": np.array([quantise(values) for values in trace.values()], np.uint8).reshape(-1, len(test)),
    }
    if output.digits is not None:
        arrays["digits"] = output.digits.argmax(dim=2).numpy().astype(np.uint8)
    return safetensors.numpy.save(arrays)
