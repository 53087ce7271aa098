"""Why networks answer as they do: which pixels spoke for and against, and what would change their mind."""

from collections.abc import Sequence

import numpy as np
import torch
from captum.attr import IntegratedGradients, Occlusion
from torch import Tensor

from core.drawing.ink import Grid, Steps, change_pen, halve_field
from core.networks.architectures import Output
from core.networks.ensemble import Ensemble
from core.networks.objectives import probability
from core.networks.verdicts import Attribution, Method, Perturbation

STEPS = 32  # into which the integral is cut
WINDOW = 3  # pixels a side that occlusion blanks at once
BATCH = 16  # pairs that all networks answer at once
PEN_CHANGE = 1 / 3
NUDGES = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}  # rows and columns


def attribute(ensemble: Ensemble, rows: Sequence[int], frames: Grid, method: Method) -> Attribution:
    """The attribution of one pair of grey levels (2, 14, 14), for the mean logit of the runs at `rows`.

    Occlusion says by how much the logit falls when a window of 3 × 3 pixels is blanked, averaged over the windows
    that hold a pixel.
    """
    pair = torch.from_numpy(frames)[None]

    def mean_logit(pairs: Tensor) -> Tensor:  # (B, 2, 14, 14) -> (B,)
        return _logits(ensemble, pairs)[list(rows)].mean(0)

    if method == "Occlusion":
        with torch.inference_mode():
            given = Occlusion(mean_logit).attribute(
                pair, (1, WINDOW, WINDOW), baselines=0.0, perturbations_per_eval=BATCH
            )
    else:
        given = IntegratedGradients(mean_logit).attribute(pair, baselines=0.0, n_steps=STEPS, internal_batch_size=BATCH)
    with torch.inference_mode():
        logit, blank = mean_logit(torch.cat([pair, torch.zeros_like(pair)])).tolist()
    return Attribution(given[0].double().numpy(), logit, blank)


def _logits(ensemble: Ensemble, pairs: Tensor) -> Tensor:
    """(R, B): the comparison's logits; the log odds of first <= second if the comparison is not learnt."""
    output = ensemble.outputs(pairs)
    if output.comparison is not None:
        return output.comparison
    assert output.digits is not None
    # In double precision: as a float32, a probability can become exactly 1, whose odds are infinite.
    every = Output(None, output.digits.double().flatten(0, 1))
    odds: Tensor = probability(every).logit(eps=1e-12).unflatten(0, output.digits.shape[:2]).float()
    return odds


def change_minds(ensemble: Ensemble, rows: list[int], steps: tuple[Steps, Steps]) -> list[Perturbation]:
    """The verdicts of the runs at `rows` on the pair as drawn, swapped, nudged, and with other pens, in this order."""
    frames = [each.frame for each in steps]
    variants = {"As drawn": frames, "Swapped": frames[::-1]}
    for side, name in enumerate(("First", "Second")):
        others = {f"{name} one pixel {way}": nudge(frames[side], *shift) for way, shift in NUDGES.items()}
        for word, share in (("thicker", PEN_CHANGE), ("thinner", -PEN_CHANGE)):
            others[f"{name} a third {word}"] = halve_field(change_pen(steps[side].field, share))
        for change, frame in others.items():
            variants[change] = [frame, frames[1]] if side == 0 else [frames[0], frame]
    pairs = np.stack([np.stack(pair) for pair in variants.values()])
    [verdicts] = ensemble.answer_each(pairs, [rows])
    return [Perturbation(*each) for each in zip(variants, verdicts, strict=True)]


def nudge(frame: Grid, down: int, right: int) -> Grid:
    """The frame moved by whole pixels. Pixels that leave it are lost; those that come in are blank."""
    height, width = frame.shape
    roomy = np.pad(frame, max(abs(down), abs(right)))
    edge = (roomy.shape[0] - height) // 2
    moved: Grid = roomy[edge - down : edge - down + height, edge - right : edge - right + width]
    return moved
