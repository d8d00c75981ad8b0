"""A recording that is written while it streams: a killed process loses at most a second.

It is a text file that ``edgebio data import`` reads: rate, names with units, then a line for each
sample with its number, label, subject and session. Numbers jump where a recording ends or samples
are lost, which cuts there.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from edgebio.errors import EdgebioError
from edgebio.recordings import Recording, save_recordings

_SYNC_SECONDS = 0.5
SUFFIX = ".part"


class StreamFile:
    """Writer of a recording, open during a ``with`` statement; `finish` makes it a whole one.

    Parameters
    ----------
    path
        File that the recording becomes at the end; until then it grows beside it, in
        ``path.part``, which stays if the process is killed.
    rate, units, channels, classes
        Of the samples.

    Raises
    ------
    EdgebioError
        If a file of an earlier run is there.
    """

    def __init__(
        self, path: Path, *, rate: float, units: str, channels: int, classes: Sequence[str]
    ) -> None:
        path = path if path.suffix == ".npz" else path.with_name(f"{path.name}.npz")
        self.path, self.part = path, path.with_name(path.name + SUFFIX)
        check_free(path)
        self._classes, self._next = tuple(classes), 0
        self._synced = time.monotonic()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self.part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        names = ",".join(f"channel {k} [{units}]" for k in range(1, channels + 1))
        self._write(f"# sampling rate: {rate!r} Hz\nindex,label,subject,session,{names}\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        os.close(self._file)

    def cut(self) -> None:
        """End a recording here; what follows is another one."""
        self._next += 1

    def add(
        self, samples: npt.NDArray[np.int16], number: int, subject: str = "1", session: str = "1"
    ) -> None:
        """Append samples, shape (n, channels), that a decision for the class of a number labels."""
        label = self._classes[number] if 0 <= number < len(self._classes) else ""
        texts = ",".join(_quoted(text) for text in (label, subject, session))
        lines = (
            f"{self._next + k},{texts},{','.join(map(str, row))}\n"
            for k, row in enumerate(samples.tolist())
        )
        self._write("".join(lines))
        self._next += len(samples)
        if time.monotonic() - self._synced > _SYNC_SECONDS:
            os.fsync(self._file)
            self._synced = time.monotonic()

    def finish(self, recordings: Sequence[Recording]) -> Path:
        """Write the recordings to the file itself, and delete the growing one."""
        try:
            return save_recordings(self.path, recordings)
        finally:
            if self.path.exists() or not recordings:
                self.part.unlink()

    def _write(self, text: str) -> None:
        data = text.encode()
        while data:
            data = data[os.write(self._file, data) :]


def check_free(path: Path) -> None:
    """Refuse to write over a recording, or over what a killed run left of one."""
    path = path if path.suffix == ".npz" else path.with_name(f"{path.name}.npz")
    part = path.with_name(path.name + SUFFIX)
    if path.exists():
        raise EdgebioError(f"{path}: exists already; give another name")
    if part.exists():
        raise EdgebioError(
            f"{part}: left by a run that was killed; keep it by edgebio data import {part} -o "
            "NAME.npz, or delete it"
        )


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"' if any(mark in text for mark in ',"\n') else text
