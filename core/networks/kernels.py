"""The feature extraction module (report, Figure 1) as compiled loops, several times as fast as layer after layer.

What one image needs stays in the processor's nearest cache: the first convolution, its pooling and ReLU, and the
second convolution's transform are one pass over the images, and so is what comes after it. That second convolution
goes by Winograd's minimal filtering F(4×4, 3×3) (Lavin and Gray, 2016, "Fast algorithms for convolutional neural
networks"), with a quarter of the multiplications: its input, 6 × 6, is exactly one tile. Results and gradients are
those of PyTorch's layers, up to rounding.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch
from numba import njit
from torch import Tensor
from torch.autograd import Function

FIRST, SECOND = 32, 64  # channels after each convolution
POSITIONS = 4  # in a window of 2 × 2; `at` says which of them was the largest, or NONE if ReLU let nothing through
NONE = POSITIONS
OPTIONS: dict[str, Any] = {"fastmath": {"contract", "nsz"}, "error_model": "numpy"}

F = TypeVar("F", bound=Callable[..., Any])
zero, two, four, five, eight = (np.float32(value) for value in (0, 2, 4, 5, 8))


def compiled(function: F) -> F:
    """Compile for this processor at the first call; once per machine, if the result can be kept on its disk."""
    try:
        made: F = njit(cache=True, nogil=True, **OPTIONS)(function)
    except RuntimeError:  # no folder can be written to
        made = njit(nogil=True, **OPTIONS)(function)
    return made


# A part of a loop's body: only written into the loop itself does it become vector instructions.
inlined = njit(inline="always", **OPTIONS)


# --- one axis of the minimal filtering's transforms, and the same transposed for the gradients -----------------------
# A source's or target's rows are the places of a square, its columns channels: rows first, first + step, … are one
# line of the square, and the channels start at a column.
@inlined
def _line(source: Any, first: int, step: int, column: int) -> Any:
    return (
        source[first, column], source[first + step, column], source[first + 2 * step, column],
        source[first + 3 * step, column], source[first + 4 * step, column], source[first + 5 * step, column],
    )  # fmt: skip


@inlined
def _to_tile(source: Any, column: int, target: Any, column2: int, first: int, step: int) -> None:
    for z in range(FIRST):
        x0, x1, x2, x3, x4, x5 = _line(source, first, step, column + z)
        even, odd, near, far = x4 - four * x2, x3 - four * x1, x4 - x2, two * (x3 - x1)
        target[first, column2 + z] = four * x0 - five * x2 + x4
        target[first + step, column2 + z] = even + odd
        target[first + 2 * step, column2 + z] = even - odd
        target[first + 3 * step, column2 + z] = near + far
        target[first + 4 * step, column2 + z] = near - far
        target[first + 5 * step, column2 + z] = four * x1 - five * x3 + x5


@inlined
def _to_tile_transposed(source: Any, column: int, target: Any, column2: int, first: int, step: int) -> None:
    for z in range(FIRST):
        t0, t1, t2, t3, t4, t5 = _line(source, first, step, column + z)
        even, odd, near, far = t1 + t2, t1 - t2, t3 + t4, two * (t3 - t4)
        target[first, column2 + z] = four * t0
        target[first + step, column2 + z] = four * (t5 - odd) - far
        target[first + 2 * step, column2 + z] = -five * t0 - four * even - near
        target[first + 3 * step, column2 + z] = odd + far - five * t5
        target[first + 4 * step, column2 + z] = t0 + even + near
        target[first + 5 * step, column2 + z] = t5


@inlined
def _from_tile(source: Any, column: int, first: int, step: int, target: Any, first2: int, step2: int) -> None:
    for z in range(SECOND):
        t0, t1, t2, t3, t4, t5 = _line(source, first, step, column + z)
        even, odd, near, far = t1 + t2, t1 - t2, t3 + t4, two * (t3 - t4)
        target[first2, z] = t0 + even + near
        target[first2 + step2, z] = odd + far
        target[first2 + 2 * step2, z] = even + four * near
        target[first2 + 3 * step2, z] = odd + four * far + t5


@inlined
def _from_tile_transposed(
    source: Any, first: int, step: int, target: Any, column: int, first2: int, step2: int
) -> None:
    for z in range(SECOND):
        y0, y1 = source[first, z], source[first + step, z]
        y2, y3 = source[first + 2 * step, z], source[first + 3 * step, z]
        even, odd, near, far = y0 + y2, y1 + y3, y0 + four * y2, two * y1 + eight * y3
        target[first2, column + z] = y0
        target[first2 + step2, column + z] = even + odd
        target[first2 + 2 * step2, column + z] = even - odd
        target[first2 + 3 * step2, column + z] = near + far
        target[first2 + 4 * step2, column + z] = near - far
        target[first2 + 5 * step2, column + z] = y3


TRANSFORM = torch.tensor(
    [[1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6],
     [1 / 24, 1 / 12, 1 / 6], [1 / 24, -1 / 12, 1 / 6], [0, 0, 1]]
)  # fmt: skip
KERNEL = torch.kron(TRANSFORM, TRANSFORM)  # (36, 9): both axes of a kernel


# --- pooling with ReLU -----------------------------------------------------------------------------------------------
@inlined
def _pool(a: Any, b: Any, c: Any, d: Any) -> Any:
    largest = max(max(a, b), max(c, d))
    at = np.int8(0) if a == largest else np.int8(1) if b == largest else np.int8(2) if c == largest else np.int8(3)
    return max(largest, zero), at if largest > zero else np.int8(NONE)


@inlined
def _unpool(gradient: Any, at: Any) -> Any:
    return (
        gradient if at == 0 else zero, gradient if at == 1 else zero,
        gradient if at == 2 else zero, gradient if at == 3 else zero,
    )  # fmt: skip


# --- the loops over images: the innermost one, over channels, is what the processor's vector units work on -----------
@inlined
def _window(image: Any, y: int, x: int) -> Any:
    """The 4 × 4 pixels from which a window of 2 × 2 positions of a 3 × 3 kernel is computed, row by row."""
    return (
        image[y, x], image[y, x + 1], image[y, x + 2], image[y, x + 3],
        image[y + 1, x], image[y + 1, x + 1], image[y + 1, x + 2], image[y + 1, x + 3],
        image[y + 2, x], image[y + 2, x + 1], image[y + 2, x + 2], image[y + 2, x + 3],
        image[y + 3, x], image[y + 3, x + 1], image[y + 3, x + 2], image[y + 3, x + 3],
    )  # fmt: skip


@inlined
def _convolve_window(image: Any, y: int, x: int, w: Any, sums: Any) -> None:
    """Add a 3 × 3 kernel's products (3, 3, FIRST) at the window's four positions to `sums` (POSITIONS, FIRST)."""
    a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p = _window(image, y, x)  # noqa: E741
    for z in range(FIRST):
        w0, w1, w2 = w[0, 0, z], w[0, 1, z], w[0, 2, z]
        w3, w4, w5 = w[1, 0, z], w[1, 1, z], w[1, 2, z]
        w6, w7, w8 = w[2, 0, z], w[2, 1, z], w[2, 2, z]
        sums[0, z] += a * w0 + b * w1 + c * w2 + e * w3 + f * w4 + g * w5 + i * w6 + j * w7 + k * w8
        sums[1, z] += b * w0 + c * w1 + d * w2 + f * w3 + g * w4 + h * w5 + j * w6 + k * w7 + l * w8
        sums[2, z] += e * w0 + f * w1 + g * w2 + i * w3 + j * w4 + k * w5 + m * w6 + n * w7 + o * w8
        sums[3, z] += f * w0 + g * w1 + h * w2 + j * w3 + k * w4 + l * w5 + n * w6 + o * w7 + p * w8


@inlined
def _gather_window(image: Any, y: int, x: int, gradient: Any, at: Any, weight: Any) -> None:
    """Add to the kernel's gradient (3, 3, FIRST) what the pooled window's gradient (FIRST,) gives."""
    a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p = _window(image, y, x)  # noqa: E741
    for z in range(FIRST):
        g0, g1, g2, g3 = _unpool(gradient[z], at[z])
        weight[0, 0, z] += g0 * a + g1 * b + g2 * e + g3 * f
        weight[0, 1, z] += g0 * b + g1 * c + g2 * f + g3 * g
        weight[0, 2, z] += g0 * c + g1 * d + g2 * g + g3 * h
        weight[1, 0, z] += g0 * e + g1 * f + g2 * i + g3 * j
        weight[1, 1, z] += g0 * f + g1 * g + g2 * j + g3 * k
        weight[1, 2, z] += g0 * g + g1 * h + g2 * k + g3 * l
        weight[2, 0, z] += g0 * i + g1 * j + g2 * m + g3 * n
        weight[2, 1, z] += g0 * j + g1 * k + g2 * n + g3 * o
        weight[2, 2, z] += g0 * k + g1 * l + g2 * o + g3 * p


@compiled
def _first_forward(images: Any, weight: Any, bias: Any, tiles: Any, at: Any) -> None:
    """(N, C, 14, 14), (C, 3, 3, FIRST), (FIRST,) -> `tiles` (36, N · FIRST), `at` (N, 36, FIRST)."""
    sums = np.empty((POSITIONS, FIRST), np.float32)
    pooled, t = np.empty((36, FIRST), np.float32), np.empty((36, FIRST), np.float32)
    for n in range(images.shape[0]):
        for place in range(36):
            for z in range(FIRST):
                sums[0, z] = sums[1, z] = sums[2, z] = sums[3, z] = bias[z]
            for channel in range(images.shape[1]):
                _convolve_window(images[n, channel], 2 * (place // 6), 2 * (place % 6), weight[channel], sums)
            for z in range(FIRST):
                pooled[place, z], at[n, place, z] = _pool(sums[0, z], sums[1, z], sums[2, z], sums[3, z])
        for u in range(6):
            _to_tile(pooled, 0, t, 0, u, 6)
        for u in range(6):
            _to_tile(t, 0, tiles, n * FIRST, 6 * u, 1)


@compiled
def _second_forward(products: Any, bias: Any, features: Any, at: Any) -> None:
    """(36, N · SECOND), (SECOND,) -> `features` (N, 4, SECOND), `at` alike."""
    t, y = np.empty((24, SECOND), np.float32), np.empty((16, SECOND), np.float32)
    for n in range(features.shape[0]):
        for u in range(6):
            _from_tile(products, n * SECOND, u, 6, t, u, 6)
        for u in range(4):
            _from_tile(t, 0, 6 * u, 1, y, 4 * u, 1)
        for place in range(4):
            a = 8 * (place // 2) + 2 * (place % 2)
            for z in range(SECOND):
                features[n, place, z], at[n, place, z] = _pool(
                    y[a, z] + bias[z], y[a + 1, z] + bias[z], y[a + 4, z] + bias[z], y[a + 5, z] + bias[z]
                )


@compiled
def _second_backward(gradient: Any, at: Any, products: Any, bias: Any) -> None:
    """The gradient of `features` -> that of `products`; that of `bias` is added to it."""
    y, t = np.empty((16, SECOND), np.float32), np.empty((24, SECOND), np.float32)
    for n in range(gradient.shape[0]):
        for place in range(4):
            a = 8 * (place // 2) + 2 * (place % 2)
            for z in range(SECOND):
                y[a, z], y[a + 1, z], y[a + 4, z], y[a + 5, z] = _unpool(gradient[n, place, z], at[n, place, z])
                bias[z] += gradient[n, place, z] if at[n, place, z] != NONE else zero
        for u in range(4):
            _from_tile_transposed(y, 4 * u, 1, t, 0, 6 * u, 1)
        for u in range(6):
            _from_tile_transposed(t, u, 6, products, n * SECOND, u, 6)


@compiled
def _first_backward(images: Any, tiles: Any, at: Any, weight: Any, bias: Any) -> None:
    """The gradient of `tiles` -> those of `weight` and `bias`, added to them."""
    t, pooled = np.empty((36, FIRST), np.float32), np.empty((36, FIRST), np.float32)
    for n in range(images.shape[0]):
        for u in range(6):
            _to_tile_transposed(tiles, n * FIRST, t, 0, 6 * u, 1)
        for u in range(6):
            _to_tile_transposed(t, 0, pooled, 0, u, 6)
        for channel in range(images.shape[1]):  # as an inner loop it would keep the compiler from vector instructions
            for place in range(36):
                y, x = 2 * (place // 6), 2 * (place % 6)
                _gather_window(images[n, channel], y, x, pooled[place], at[n, place], weight[channel])
        for place in range(36):
            for z in range(FIRST):
                bias[z] += pooled[place, z] if at[n, place, z] != NONE else zero


class _Extraction(Function):
    @staticmethod
    def forward(context: Any, images: Tensor, weight1: Tensor, bias1: Tensor, weight2: Tensor, bias2: Tensor) -> Tensor:
        n, images = len(images), images.contiguous()
        kernels1 = weight1.detach().permute(1, 2, 3, 0).contiguous()  # (C, 3, 3, FIRST)
        kernels2 = (KERNEL @ weight2.detach().permute(2, 3, 1, 0).reshape(9, -1)).view(36, FIRST, SECOND)
        tiles, at1 = torch.empty(36, n * FIRST), torch.empty(n, 36, FIRST, dtype=torch.int8)
        _first_forward(images.numpy(), kernels1.numpy(), bias1.detach().numpy(), tiles.numpy(), at1.numpy())
        tiles = tiles.view(36, n, FIRST)
        products = torch.bmm(tiles, kernels2).view(36, -1)  # a product of matrices for each of 36 places
        features, at2 = torch.empty(n, 4, SECOND), torch.empty(n, 4, SECOND, dtype=torch.int8)
        _second_forward(products.numpy(), bias2.detach().numpy(), features.numpy(), at2.numpy())
        context.kept = images, tiles, kernels2, at1, at2
        return features.transpose(1, 2).flatten(1)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Any:
        images, tiles, kernels2, at1, at2 = context.kept
        n = len(images)
        features = gradient.view(n, SECOND, 4).transpose(1, 2).contiguous()
        products, bias2 = torch.empty(36, n * SECOND), torch.zeros(SECOND)
        _second_backward(features.numpy(), at2.numpy(), products.numpy(), bias2.numpy())
        products = products.view(36, n, SECOND)
        weight2 = (KERNEL.T @ torch.bmm(tiles.transpose(1, 2), products).view(36, -1)).view(3, 3, FIRST, SECOND)
        below = torch.bmm(products, kernels2.transpose(1, 2)).view(36, -1)
        weight1, bias1 = torch.zeros(images.shape[1], 3, 3, FIRST), torch.zeros(FIRST)
        _first_backward(images.numpy(), below.numpy(), at1.numpy(), weight1.numpy(), bias1.numpy())
        return None, weight1.permute(3, 0, 1, 2), bias1, weight2.permute(3, 2, 0, 1), bias2


def extract_features(images: Tensor, weight1: Tensor, bias1: Tensor, weight2: Tensor, bias2: Tensor) -> Tensor:
    """(N, C, 14, 14) -> (N, 256), with the weights (FIRST, C, 3, 3) and (SECOND, FIRST, 3, 3) of both convolutions.

    All are float32 on the processor. Differentiable by the weights and biases, not by the images.
    """
    given: Tensor = _Extraction.apply(images, weight1, bias1, weight2, bias2)
    return given
