"""The training procedure (report, common hyperparameters): one record per epoch, no printing, no files.

Written for speed on a CPU core: the pairs stay resident in memory, both digits of a shared branch go through it
in one batch, convolutions run channels last and Adam is one fused call. The numbers are those of the plain procedure.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import safetensors.numpy
import torch
from torch import Tensor

from core.mnist.pairs import Pairs, draw_round, standardise
from core.networks.architectures import Output, build_network, dropout_masks
from core.networks.objectives import compute_loss, count_right, decide, probability, stack_outputs
from core.networks.weights import load_weights
from core.runs.records import TRACE_EVERY, EpochRecord, StopReason
from core.runs.settings import RunSettings
from core.runs.writer import RunResult
from core.training.packing import describe_machine, pack_predictions


class Training:  # long: all that a run is made of, from its first weights to its test, moves together between workers
    """One run: call `step()` until it has `ended`, or iterate over `epochs()`; then call `finish()`.

    Equal settings give an equal history on the same machine, to the last digit, whatever else is trained between two
    steps; set PyTorch to one thread for that to hold whatever else the machine does.
    """

    _VALUES = ("history", "trace", "stop_reason", "_best", "_since_best", "_best_parameters")  # change with each epoch

    def __init__(self, settings: RunSettings) -> None:
        self.settings = settings
        self.round = draw_round(settings.seed, settings.training_pairs)
        self.network = build_network(settings, compiled=True)
        self.optimiser = torch.optim.Adam(self.network.parameters(), settings.learning_rate, fused=True)
        self.batch_order = torch.Generator().manual_seed(settings.seed)
        self.history: list[EpochRecord] = []
        self.trace: dict[int, Tensor] = {}
        self.stop_reason: StopReason = "stopped"
        self._best, self._since_best = -1.0, 0  # validation accuracy, and the epochs since it was reached
        self._best_parameters: dict[str, Tensor] = {}  # those that reached it
        self._inputs = {
            part: standardise(pairs.images, self.round.mean, self.round.deviation)
            for part, pairs in (("training", self.round.training), ("validation", self.round.validation))
        }
        self._test_input = standardise(self.round.test.images, self.round.mean, self.round.deviation)

    @property
    def ended(self) -> bool:
        """Whether the last epoch is done: validation accuracy has not improved for `patience` epochs, or `max_epochs`
        are over."""
        return self.stop_reason != "stopped"

    def epochs(self) -> Iterator[EpochRecord]:
        """Train to the end; breaking out of the iteration stops the run."""
        while not self.ended:
            yield self.step()

    def step(self) -> EpochRecord:
        """Train one epoch."""
        epoch = len(self.history) + 1
        record = self._run_epoch(epoch)
        self.history.append(record)
        if epoch % TRACE_EVERY == 0:
            self.trace[epoch] = probability(self._evaluate(self._test_input))
        if record.validation_accuracy > self._best:
            self._best, self._since_best = record.validation_accuracy, 0
            self._best_parameters = {name: p.detach().clone() for name, p in self.network.named_parameters()}
        else:
            self._since_best += 1
        if self._since_best >= self.settings.patience:
            self.stop_reason = "patience"
        elif epoch == self.settings.max_epochs:
            self.stop_reason = "max_epochs"
        return record

    def state(self) -> dict[str, Any]:
        """All that another process needs to go on with this run, which is not to be trained here any more."""
        return {
            "parameters": dict(self.network.named_parameters()),
            "optimiser": self.optimiser.state_dict(),
            "batch_order": self.batch_order.get_state(),
            "dropout_masks": dropout_masks(self.network).get_state(),
            "values": {name: getattr(self, name) for name in self._VALUES},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state()` of the same run, which another process has given."""
        with torch.no_grad():
            for name, parameter in self.network.named_parameters():
                parameter.copy_(state["parameters"][name])
        self.optimiser.load_state_dict(state["optimiser"])
        self.batch_order.set_state(state["batch_order"])
        dropout_masks(self.network).set_state(state["dropout_masks"])
        for name, value in state["values"].items():
            setattr(self, name, value)

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
        """Test the trained network on its 1,000 test pairs, and pack what is to be kept.

        Tested are the weights of the last epoch, as in the report; `best_epoch_test_accuracy` is what those of the
        first epoch with the best validation accuracy give, which ends the network's use.
        """
        test, training = self.round.test, self.round.training
        output = self._evaluate(self._test_input)
        right, digits_right = count_right(output, test.target, test.classes)
        training_output = self._evaluate(self._inputs["training"])
        weights = self._pack_weights(right)
        summary = {
            "test_accuracy": right / len(test),
            "test_digit_accuracy": None if digits_right is None else digits_right / (2 * len(test)),
            **_split_by_equality(output, test),
            "best_epoch": len(self.history) - self._since_best,
            "best_epoch_test_accuracy": self._test_best_epoch(),
            "training_accuracy": count_right(training_output, training.target, training.classes)[0] / len(training),
            "epochs": len(self.history),
            "stop_reason": self.stop_reason,
            "seconds": sum(record.seconds for record in self.history),
            "mean": self.round.mean,
            "deviation": self.round.deviation,
            **describe_machine(),
        }
        history = [asdict(record) for record in self.history]
        return RunResult(summary, history, weights, pack_predictions(test, output, self.trace))

    def _test_best_epoch(self) -> float:
        with torch.no_grad():
            for name, parameter in self.network.named_parameters():
                parameter.copy_(self._best_parameters[name])
        test = self.round.test
        return count_right(self._evaluate(self._test_input), test.target, test.classes)[0] / len(test)

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


def _split_by_equality(output: Output, test: Pairs) -> dict[str, float]:
    """The accuracy on the pairs of two different digits, and on those of two equal ones."""
    right, equal = decide(output) == test.target.bool(), test.classes[:, 0] == test.classes[:, 1]
    return {
        "test_accuracy_unequal": int(right[~equal].sum()) / int((~equal).sum()),
        "test_accuracy_equal": int(right[equal].sum()) / int(equal.sum()),
    }


def evaluate(network: torch.nn.Module, inputs: Tensor, dropout_on: bool = False, batch: int = 250) -> Output:
    """The network's output for standardised pairs (N, 2, 14, 14), in batches that stay in the cache."""
    network.train(dropout_on)
    with torch.inference_mode():
        return stack_outputs([network(part) for part in inputs.split(batch)])
