"""The files of MNIST: checked and unpacked, and their pictures. Needs no PyTorch."""

import gzip
import hashlib
import logging
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.processes import ROOT

DATA = ROOT / "data"
TEST_IMAGES = "t10k-images-idx3-ubyte"
TEST_CLASSES = "t10k-labels-idx1-ubyte"
TRAINING_IMAGES = "train-images-idx3-ubyte"
TRAINING_CLASSES = "train-labels-idx1-ubyte"
FILES = (TRAINING_IMAGES, TRAINING_CLASSES, TEST_IMAGES, TEST_CLASSES)
RESTORE = "restore data/MNIST from the repository"
DOWNLOAD_SECONDS = 120
PAUSE = 60  # seconds from one failed download to the next
_DOWNLOADING = threading.Lock()
_REFUSED: dict[Path, float] = {}  # when a download into this folder last failed, on time.monotonic's clock
UNPACKING_ERRORS = (OSError, EOFError, zlib.error)
IMAGES_HEADER = 16  # bytes: a magic number, the count, rows and columns
CLASSES_HEADER = 8  # a magic number and the count
TRAINING_COUNT, TEST_COUNT = 60_000, 10_000
LENGTHS = {  # of the unpacked files, in bytes
    TRAINING_IMAGES: IMAGES_HEADER + TRAINING_COUNT * 28 * 28,
    TRAINING_CLASSES: CLASSES_HEADER + TRAINING_COUNT,
    TEST_IMAGES: IMAGES_HEADER + TEST_COUNT * 28 * 28,
    TEST_CLASSES: CLASSES_HEADER + TEST_COUNT,
}


class DataError(ValueError):
    """MNIST is missing or damaged; the message is one sentence that names the file."""


def unpack_mnist(root: Path = DATA, only: str = "") -> None:
    """Unpack each bundled file whose unpacked one is missing or damaged, checked by SHA-256; `only` names one.

    Raises DataError naming the file if the bundled one is itself damaged, or if nothing can be unpacked. If
    there is no bundle at all, torchvision downloads MNIST instead.
    """
    bundle, raw = root / "MNIST", root / "MNIST" / "raw"
    try:
        sums = _read_sums(bundle / "SHA256SUMS")
        if not sums:
            _download(root)
        for name, expected in sums.items():
            if only in ("", name) and not _matches(raw / name, expected):
                if (raw / name).exists():
                    logging.getLogger(__name__).warning(
                        "The MNIST file %s was damaged and is unpacked again.", raw / name
                    )
                raw.mkdir(parents=True, exist_ok=True)
                _unpack_file(bundle / f"{name}.gz", raw / name, expected)
    except OSError as error:
        raise DataError(f"MNIST cannot be unpacked into {raw}: {error.strerror}.") from None


def find_missing(root: Path = DATA) -> str:
    """Which files of MNIST are missing or cannot be used, in a sentence; empty: none.

    Quick: an unpacked file is judged by its length, and a bundled one, if it still has to be unpacked, is read once.
    """
    bundle = root / "MNIST"
    if missing := _list_missing(root):
        return f"MNIST lacks {', '.join(missing)} in {bundle}; {RESTORE}."
    packed = [bundle / f"{name}.gz" for name in FILES if _length(bundle / "raw" / name) != LENGTHS[name]]
    problems = [_try_to_unpack(path, _length(path), path.stat().st_mtime_ns) for path in packed if path.is_file()]
    problems += [f"The MNIST file {path} is missing; {RESTORE}." for path in packed if not path.is_file()]
    place = bundle / "raw" if (bundle / "raw").exists() else bundle
    if packed and not (place.is_dir() and os.access(place, os.W_OK)):
        problems.append(f"MNIST cannot be unpacked into {bundle / 'raw'}: it cannot be written.")
    return next(filter(None, problems), "")


def _list_missing(root: Path) -> list[str]:
    """The files that are neither unpacked nor bundled."""
    bundle = root / "MNIST"
    places = {name: (bundle / "raw" / name, bundle / f"{name}.gz") for name in FILES}
    return [name for name, files in places.items() if not any(map(os.path.isfile, files))]


def _length(path: Path) -> int:
    """In bytes; −1 if there is no such file."""
    return path.stat().st_size if path.is_file() else -1


@cache
def _try_to_unpack(packed: Path, size: int, changed: int) -> str:
    """Why a bundled file cannot be unpacked, in a sentence; empty: it can. If the file is replaced, `size` or `changed`
    differ, so that the new one is looked at too."""
    try:
        with gzip.open(packed) as file:
            length = sum(map(len, iter(partial(file.read, 2**20), b"")))
    except UNPACKING_ERRORS as error:
        return f"The MNIST file {packed} cannot be read ({error}); {RESTORE}."
    if length != LENGTHS[packed.stem]:
        return f"The MNIST file {packed} is damaged; {RESTORE}."
    return ""


def _read_sums(path: Path) -> dict[str, str]:
    """Name -> SHA-256 of each bundled file; nothing if there is no bundle."""
    if not path.is_file():
        return {}
    lines = [line.split() for line in path.read_text(errors="replace").splitlines()]
    if not lines or any(len(line) != 2 for line in lines):
        raise DataError(f"The file {path} is damaged; {RESTORE}.")
    return {name: expected for expected, name in lines}


def _download(root: Path) -> None:
    """Have torchvision download MNIST, in a process of its own, since the server does without PyTorch.

    Raises DataError if that fails, and for a minute after without trying again: visitors of a screen would start a
    process each.
    """
    with _DOWNLOADING:
        if not _list_missing(root):
            return
        if time.monotonic() - _REFUSED.get(root, -math.inf) > PAUSE:
            script = "import sys; from torchvision.datasets import MNIST; MNIST(sys.argv[1], download=True)"
            with suppress(subprocess.SubprocessError):
                command = [sys.executable, "-c", script, str(root)]
                subprocess.run(command, check=True, capture_output=True, timeout=DOWNLOAD_SECONDS)
                return
            _REFUSED[root] = time.monotonic()
    raise DataError(f"MNIST is missing in {root / 'MNIST'} and cannot be downloaded; {RESTORE}.")


def _matches(path: Path, expected: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:  # in pieces: a server need not hold the 47 MB of the training half
        return hashlib.file_digest(file, "sha256").hexdigest() == expected


def _unpack_file(packed: Path, target: Path, expected: str) -> None:
    try:
        content = gzip.decompress(packed.read_bytes())
    except UNPACKING_ERRORS as error:
        raise DataError(f"The MNIST file {packed} cannot be read ({error}); {RESTORE}.") from None
    if hashlib.sha256(content).hexdigest() != expected:
        raise DataError(f"The MNIST file {packed} is damaged (wrong SHA-256); {RESTORE}.")
    # Several workers may unpack at once: each writes its own file, and the last rename wins with equal bytes.
    handle, temporary = tempfile.mkstemp(dir=target.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    os.replace(temporary, target)


@cache
def read_test_images(root: Path = DATA) -> NDArray[np.uint8]:
    """The pictures of MNIST's test half, (10000, 28, 28) grey levels 0 to 255, not to be changed; raises DataError."""
    return _read_file(root, TEST_IMAGES, IMAGES_HEADER, 28 * 28 * TEST_COUNT).reshape(TEST_COUNT, 28, 28)


@cache
def read_test_classes(root: Path = DATA) -> NDArray[np.uint8]:
    """The classes of MNIST's test half (10000,), 0 to 9, not to be changed; raises DataError."""
    return _read_file(root, TEST_CLASSES, CLASSES_HEADER, TEST_COUNT)


def read_training_images(count: int, root: Path = DATA) -> NDArray[np.uint8]:
    """The first `count` pictures of MNIST's training half, (count, 28, 28) grey levels 0 to 255; raises DataError."""
    return _read_file(root, TRAINING_IMAGES, IMAGES_HEADER, 28 * 28 * count).reshape(count, 28, 28)


def read_training_classes(root: Path = DATA) -> NDArray[np.uint8]:
    """The classes of MNIST's training half (60000,), 0 to 9; raises DataError."""
    return _read_file(root, TRAINING_CLASSES, CLASSES_HEADER, TRAINING_COUNT)


def _read_file(root: Path, name: str, header: int, length: int) -> NDArray[np.uint8]:
    """The first `length` bytes that follow a file's header; raises DataError."""
    unpack_mnist(root, name)
    path = root / "MNIST" / "raw" / name
    try:
        content = np.fromfile(path, dtype=np.uint8, offset=header, count=length)
        whole = _length(path) == LENGTHS[name]
    except OSError as error:
        raise DataError(f"The MNIST file {path} cannot be read: {error.strerror}.") from None
    if not whole:
        raise DataError(f"The MNIST file {path} is damaged; {RESTORE}.")
    return content


def average_windows(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures (N, 28, 28) as the networks see them: averages over 2 × 2 windows (N, 14, 14), in whole grey levels."""
    windows = images.reshape(len(images), 14, 2, 14, 2)
    return np.asarray(windows.mean(axis=(2, 4)).round(), dtype=np.uint8)
