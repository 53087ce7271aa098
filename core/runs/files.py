"""Files in a folder that others write into: read if they are plain and small, written whole or not at all."""

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

TEMPORARY = ".new-"  # how the names of files begin that are being written


@contextmanager
def open_plain(path: Path) -> Iterator[BinaryIO]:
    """Open a plain file for reading. Raises OSError, also for a pipe or a device: one could keep its reader waiting for
    ever, the other may never end."""
    with open(path, "rb", opener=_open_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "Not a plain file", str(path))
        yield file


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # not to wait for a pipe's other end


def read_start(path: Path, most: int) -> bytes:
    """The first `most` bytes of a plain file, or all of it; raises OSError."""
    with open_plain(path) as file:
        return file.read(min(os.fstat(file.fileno()).st_size, most))  # so that no more memory is taken than it needs


def read_plain(path: Path, most: int) -> bytes:
    """The content of a plain file of at most `most` bytes; raises OSError, also if it is larger."""
    content = read_start(path, most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"Larger than {most >> 10:,} kB", str(path))
    return content


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that readers see the old one or the new one, never a part; raises OSError and leaves no trace."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=TEMPORARY)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
