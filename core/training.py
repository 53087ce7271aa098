"""The training procedure (report, common hyperparameters): one record an epoch, no printing, no files.

Written for speed on a CPU core: the pairs stay resident in memory, both digits of a shared branch go through it
in one batch, convolutions run channels last and Adam is one fused call. The numbers are those of the plain procedure.
"""

import os
import platform
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import safetensors.numpy
import torch
from torch import Tensor
from torch.optim.adam import adam

from core.architectures import Output, build_network
from core.data import Pairs, draw_round, standardise
from core.objectives import compute_loss, count_right, decide, probability, stack_outputs
from core.runs import RunResult
from core.settings import TRACE_EVERY, RunSettings

StopReason = Literal["patience", "max_epochs", "stopped"]


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch measured: losses are means in nats, accuracies are shares of 1, `seconds` is processor time,
    which a busy machine changes little.

    Training figures are those of the epoch's own batches, so with dropout on. A part that the architecture does
    not have (a learnt comparison, digit classes) is None.
    """

    epoch: int
    training_loss: float
    comparison_loss: float | None
    digits_loss: float | None
    training_accuracy: float
    validation_loss: float
    validation_accuracy: float
    digit_accuracy: float | None
    seconds: float


class FusedAdam:
    """torch.optim.Adam with its usual constants, one fused call a step and nothing around it: the same numbers to the
    last digit, and an epoch takes a twentieth less."""

    def __init__(self, parameters: Iterable[torch.nn.Parameter], learning_rate: float) -> None:
        self._parameters: list[Tensor] = list(parameters)
        self._learning_rate = learning_rate
        self._means, self._squares = ([torch.zeros_like(p) for p in self._parameters] for _ in range(2))
        self._steps = [torch.zeros(()) for _ in self._parameters]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move the parameters by their gradients; every parameter must have one."""
        gradients = [parameter.grad for parameter in self._parameters if parameter.grad is not None]
        adam(
            self._parameters, gradients, self._means, self._squares, [], self._steps,
            fused=True, amsgrad=False, beta1=0.9, beta2=0.999, lr=self._learning_rate, weight_decay=0.0, eps=1e-8,
            maximize=False,
        )  # fmt: skip


class Training:
    """One run: iterate over `epochs()`, then call `finish()`.

    Breaking out of the iteration stops the run. Equal settings give an equal history on the same machine, to the
    last digit; set PyTorch to one thread for that to hold whatever else the machine does.
    """

    def __init__(self, settings: RunSettings) -> None:
        self.settings = settings
        self.round = draw_round(settings.seed, settings.training_pairs)
        self.network = build_network(settings, compiled=True)
        self.optimiser = FusedAdam(self.network.parameters(), settings.learning_rate)
        self.batch_order = torch.Generator().manual_seed(settings.seed)
        self.history: list[EpochRecord] = []
        self.trace: dict[int, Tensor] = {}
        self.stop_reason: StopReason = "stopped"
        self._inputs = {
            part: standardise(pairs.images, self.round.mean, self.round.deviation)
            for part, pairs in (("training", self.round.training), ("validation", self.round.validation))
        }
        self._test_input = standardise(self.round.test.images, self.round.mean, self.round.deviation)

    def epochs(self) -> Iterator[EpochRecord]:
        """Train until validation accuracy has not improved for `patience` epochs, or `max_epochs` are done."""
        best, since_best = -1.0, 0
        for epoch in range(1, self.settings.max_epochs + 1):
            record = self._run_epoch(epoch)
            self.history.append(record)
            if epoch % TRACE_EVERY == 0:
                self.trace[epoch] = probability(self._evaluate(self._test_input))
            if record.validation_accuracy > best:
                best, since_best = record.validation_accuracy, 0
            else:
                since_best += 1
            if since_best >= self.settings.patience:
                self.stop_reason = "patience"
            elif epoch == self.settings.max_epochs:
                self.stop_reason = "max_epochs"
            yield record
            if self.stop_reason == "patience":
                return

    def _run_epoch(self, epoch: int) -> EpochRecord:
        started = time.process_time()
        training = self._train_once()
        output = self._evaluate(self._inputs["validation"])
        pairs = self.round.validation
        loss = compute_loss(output, pairs.target, pairs.classes, self.settings.auxiliary_weight)
        right, digits_right = count_right(output, pairs.target, pairs.classes)
        return EpochRecord(
            epoch=epoch,
            **training,
            validation_loss=loss.total.item(),
            validation_accuracy=right / len(pairs),
            digit_accuracy=None if digits_right is None else digits_right / (2 * len(pairs)),
            seconds=time.process_time() - started,
        )

    def _train_once(self) -> dict[str, Any]:
        """One pass over the training pairs in mini-batches; the pass's mean losses and its accuracy."""
        pairs, inputs, size = self.round.training, self._inputs["training"], self.settings.batch_size
        order = torch.randperm(len(pairs), generator=self.batch_order)
        sums, right = torch.zeros(3), 0
        self.network.train()
        for rows in order.split(size):
            target, classes = pairs.target[rows], pairs.classes[rows]
            output = self.network(inputs[rows])
            loss = compute_loss(output, target, classes, self.settings.auxiliary_weight)
            self.optimiser.zero_grad()
            loss.total.backward()
            self.optimiser.step()
            sums += torch.stack([torch.zeros(()) if part is None else part.detach() for part in loss]) * len(rows)
            right += count_right(output, target, classes)[0]
        total, comparison, digits = (sums / len(pairs)).tolist()
        return {
            "training_loss": total,
            "comparison_loss": None if loss.comparison is None else comparison,
            "digits_loss": None if loss.digits is None else digits,
            "training_accuracy": right / len(pairs),
        }

    def _evaluate(self, inputs: Tensor) -> Output:
        """The output for standardised pairs (N, 2, 14, 14), with dropout off unless the settings leave it on."""
        return evaluate(self.network, inputs, self.settings.dropout_at_evaluation)

    def finish(self) -> RunResult:
        """Test the trained network on its 1,000 test pairs, and pack what is to be kept."""
        test, training = self.round.test, self.round.training
        output = self._evaluate(self._test_input)
        right, digits_right = count_right(output, test.target, test.classes)
        training_output = self._evaluate(self._inputs["training"])
        summary = {
            "test_accuracy": right / len(test),
            "test_digit_accuracy": None if digits_right is None else digits_right / (2 * len(test)),
            "training_accuracy": count_right(training_output, training.target, training.classes)[0] / len(training),
            "epochs": len(self.history),
            "stop_reason": self.stop_reason,
            "seconds": sum(record.seconds for record in self.history),
            "mean": self.round.mean,
            "deviation": self.round.deviation,
            **describe_machine(),
        }
        history = [asdict(record) for record in self.history]
        return RunResult(summary, history, self._pack_weights(right), pack_predictions(test, output, self.trace))

    def _pack_weights(self, right: int) -> bytes:
        # Copies: `contiguous` alone may give the parameters' own memory, which is about to be overwritten.
        full = {name: tensor.detach().numpy().copy(order="C") for name, tensor in self.network.named_parameters()}
        half = {name: values.astype(np.float16) for name, values in full.items()}
        if self.settings.dropout_at_evaluation:  # its test accuracy is itself random, so it cannot be compared
            return safetensors.numpy.save(full)
        load_weights(self.network, half)
        test = self.round.test
        same = count_right(self._evaluate(self._test_input), test.target, test.classes)[0] == right
        return safetensors.numpy.save(half if same else full)


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


def evaluate(network: torch.nn.Module, inputs: Tensor, dropout_on: bool = False, batch: int = 250) -> Output:
    """The network's output for standardised pairs (N, 2, 14, 14), in batches that stay in the cache."""
    network.train(dropout_on)
    with torch.inference_mode():
        return stack_outputs([network(part) for part in inputs.split(batch)])


def load_weights(network: torch.nn.Module, arrays: dict[str, np.ndarray]) -> None:
    """Copy stored weights into a network; raises ValueError where they are another network's."""
    parameters = dict(network.named_parameters())
    shapes = {name: tuple(tensor.shape) for name, tensor in parameters.items()}
    if shapes != {name: values.shape for name, values in arrays.items()}:
        raise ValueError("The weights belong to another network: their names or shapes do not fit this one.")
    with torch.no_grad():
        for name, tensor in parameters.items():
            tensor.copy_(torch.from_numpy(arrays[name].astype(np.float32)))


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
