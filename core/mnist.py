"""The files of MNIST: checked, unpacked, and the test half's pictures for who only shows them. Needs no torch."""

import gzip
import hashlib
import logging
import os
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).parent.parent / "data"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_CLASSES = "t10k-labels-idx1-ubyte"
IMAGES_HEADER = 16  # bytes: a magic number, the count, rows and columns
CLASSES_HEADER = 8  # a magic number and the count
TEST_COUNT = 10_000


class DataError(ValueError):
    """MNIST is missing or damaged; the message is one sentence that names the file."""


def unpack_mnist(root: Path = DATA, only: str = "") -> None:
    """Unpack the four bundled files where the unpacked one is missing or damaged, checked by SHA-256; `only` names one.

    Raises DataError naming the file where the bundled one is itself damaged. Where there is no bundle at all,
    torchvision downloads MNIST instead.
    """
    bundle, raw = root / "MNIST", root / "MNIST" / "raw"
    sums = bundle / "SHA256SUMS"
    if not sums.is_file():
        from torchvision.datasets import MNIST

        MNIST(root, download=True)
        return
    raw.mkdir(parents=True, exist_ok=True)
    for line in sums.read_text().splitlines():
        expected, name = line.split()
        if only in ("", name) and not _matches(raw / name, expected):
            if (raw / name).exists():
                logging.getLogger(__name__).warning("The MNIST file %s was damaged and is unpacked again.", raw / name)
            _unpack_file(bundle / f"{name}.gz", raw / name, expected)


def _matches(path: Path, expected: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == expected


def _unpack_file(packed: Path, target: Path, expected: str) -> None:
    try:
        content = gzip.decompress(packed.read_bytes())
    except (OSError, EOFError, gzip.zlib.error) as error:  # type: ignore[attr-defined]
        raise DataError(f"The MNIST file {packed} cannot be read ({error}); restore it from the repository.") from None
    if hashlib.sha256(content).hexdigest() != expected:
        raise DataError(f"The MNIST file {packed} is damaged (wrong SHA-256); restore it from the repository.")
    # Several workers may unpack at once: each writes its own file, and the last rename wins with equal bytes.
    handle, temporary = tempfile.mkstemp(dir=target.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    os.replace(temporary, target)


@cache
def read_test_images(root: Path = DATA) -> NDArray[np.uint8]:
    """The pictures of MNIST's test half, (10000, 28, 28) grey levels 0 to 255, not to be changed; raises DataError."""
    return _read_test_file(root, TEST_IMAGES, IMAGES_HEADER).reshape(TEST_COUNT, 28, 28)


@cache
def read_test_classes(root: Path = DATA) -> NDArray[np.uint8]:
    """The classes of MNIST's test half (10000,), 0 to 9, not to be changed; raises DataError."""
    return _read_test_file(root, TEST_CLASSES, CLASSES_HEADER)


def _read_test_file(root: Path, name: str, header: int) -> NDArray[np.uint8]:
    unpack_mnist(root, name)
    return np.fromfile(root / "MNIST" / "raw" / name, dtype=np.uint8, offset=header)


def average_windows(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures (N, 28, 28) as the networks see them: averages over 2 × 2 windows (N, 14, 14), in whole grey levels."""
    windows = images.reshape(len(images), 14, 2, 14, 2)
    return np.asarray(windows.mean(axis=(2, 4)).round(), dtype=np.uint8)
